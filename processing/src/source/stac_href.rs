//! Where the hrefs of an Item lead: never out of what the user gave, and onto the network only where the user named
//! that source.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use std::path::{Component, Path, PathBuf};

/// What relative hrefs are relative to, and how far they may lead.
pub(super) enum Base {
    /// A document on this machine.
    Folder {
        /// The folder it lies in.
        folder: PathBuf,
        /// The folder that the user gave, out of which nothing may lead.
        root: PathBuf,
        /// True when its hrefs may be addresses of the network.
        network: bool,
    },
    /// A document from the network.
    Address(Url),
}

/// The absolute path or address of an href; what came from the network may not name files of this machine.
///
/// # Errors
/// Says what is wrong with the href and, where a person can do something, what.
pub(super) fn resolve(href: &str, base: &Base) -> Result<String, String> {
    if href.is_empty() {
        return Err("an asset has no href".into());
    }
    match base {
        Base::Folder {
            folder,
            root,
            network,
        } => {
            if ["http://", "https://", "s3://"]
                .iter()
                .any(|scheme| href.starts_with(scheme))
            {
                return if *network {
                    Ok(href.to_owned())
                } else {
                    Err(format!(
                        "asset href `{href}` leads onto the network, though the item was given as a file; say \
                         --source stac where it may, or give the address of the STAC API"
                    ))
                };
            }
            let path = href.strip_prefix("file://").unwrap_or(href);
            if path.contains("://") || path.starts_with("/vsi") {
                return Err(format!(
                    "asset href `{href}` is neither a file nor an http(s) or s3 address"
                ));
            }
            // an href is a URI reference, in which a blank is %20; some write names as they are
            let plain = inside(root, folder, Path::new(path));
            if let Some(found) = plain.as_ref().filter(|found| found.exists()) {
                return Ok(found.display().to_string());
            }
            let decoded = percent_decode_str(path).decode_utf8().ok();
            let decoded = decoded.and_then(|path| inside(root, folder, Path::new(path.as_ref())));
            match decoded {
                Some(found) if !found.starts_with("/vsi") => Ok(found.display().to_string()),
                _ => Err(format!(
                    "asset href `{href}` leads out of the folder that was given; give one that holds both the item \
                     and its files"
                )),
            }
        }
        Base::Address(address) => {
            let url = address
                .join(href)
                .map_err(|error| format!("asset href `{href}`: {error}"))?;
            match url.scheme() {
                "http" | "https" | "s3" => Ok(url.to_string()),
                _ => Err(format!(
                    "asset href `{href}` is neither an http(s) nor an s3 address"
                )),
            }
        }
    }
}

/// The file that `path` names from `folder`, where it lies under `root`: by the names alone, so that links in what the
/// user gave are followed and no `..` climbs out.
fn inside(root: &Path, folder: &Path, path: &Path) -> Option<PathBuf> {
    if path.is_absolute() {
        let mut clean = PathBuf::from("/");
        for part in path.components() {
            match part {
                Component::Normal(name) => clean.push(name),
                Component::ParentDir => return None,
                _ => {}
            }
        }
        let real = || root.canonicalize().is_ok_and(|real| clean.starts_with(real));
        return (clean.starts_with(root) || real()).then_some(clean);
    }
    let below = folder.strip_prefix(root).ok()?;
    let mut names: Vec<_> = below.components().collect();
    for part in path.components() {
        match part {
            Component::Normal(_) => names.push(part),
            Component::ParentDir => {
                names.pop()?;
            }
            _ => {}
        }
    }
    Some(root.join(names.into_iter().collect::<PathBuf>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_under_what_was_given() {
        let (root, folder) = (Path::new("/g/../given"), Path::new("/g/../given/items"));
        let of = |path: &str| inside(root, folder, Path::new(path));
        assert_eq!(of("./B04.tif"), Some(PathBuf::from("/g/../given/items/B04.tif")));
        assert_eq!(
            of("../data/B04.tif"),
            Some(PathBuf::from("/g/../given/data/B04.tif"))
        );
        for out in [
            "../../B04.tif",
            "a/../../../B04.tif",
            "/etc/B04.tif",
            "/g/../given/../B04.tif",
        ] {
            assert_eq!(of(out), None, "{out}");
        }
        let (root, folder) = (Path::new("/given"), Path::new("/given"));
        assert_eq!(
            inside(root, folder, Path::new("/given/a.tif")),
            Some("/given/a.tif".into())
        );
        assert_eq!(inside(root, folder, Path::new("/given2/a.tif")), None);
    }
}
