//! `sen init`: a data folder with a commented `sen.toml`.

use crate::Outcome;
use crate::config::Place;
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use serde_json::json;
use std::io::Write;

/// Every setting with its default, as comments.
const TEMPLATE: &str = include_str!("sen.toml");

/// Make a data folder with a commented sen.toml; an existing one is left as it is.
#[derive(Args)]
pub(crate) struct Init {}

impl Init {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open()?;
        let path = data.folder.join("sen.toml");
        let made = match std::fs::File::create_new(&path) {
            Ok(mut file) => {
                file.write_all(TEMPLATE.as_bytes())
                    .with_context(|| format!("cannot write {}", path.display()))?;
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
        };
        let folder = data.folder.display();
        let text = if made {
            format!(
                "{folder} is ready. Next: `sen --data {folder} ingest PATH`, then `sen --data {folder} serve`."
            )
        } else {
            format!("{folder} was there already; its sen.toml is unchanged.")
        };
        output.result(&text, &json!({"data": data.folder, "made": made}));
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_commented_settings_are_the_defaults() {
        // every `# key = value` line of the template, uncommented, must parse to what an empty file means
        let uncommented: String = super::TEMPLATE
            .lines()
            .take_while(|line| !line.contains("examples"))
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| rest.contains(" = ") && !rest.starts_with(' '))
                    .unwrap_or(line)
            })
            .flat_map(|line| [line, "\n"])
            .collect();
        let spoken: crate::config::Config = toml::from_str(&uncommented).expect("the template parses");
        let silent = crate::config::Config::default();
        assert_eq!(format!("{spoken:?}"), format!("{silent:?}"));
    }
}
