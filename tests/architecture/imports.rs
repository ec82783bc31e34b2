//! Who imports whom inside a crate, read from its sources: `crate::` and `super::` outside of tests.

use super::{read, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// For each module at the top of a crate (`x.rs` and the folder `x` are one) those that it names, with the files that do.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Reads the sources of a crate. What `lib.rs` passes on (`pub use item::Item`) counts as an import of the module it is from.
pub(crate) fn imports(src: &Path) -> Imports {
    let mut files = Vec::new();
    sources(src, &mut files);
    let places: Vec<(Vec<String>, String)> = files
        .iter()
        .map(|file| (place(file.strip_prefix(src).expect("below src")), read(file)))
        .collect();
    let tests: BTreeSet<Vec<String>> = places
        .iter()
        .flat_map(|(at, text)| test_modules(at, text))
        .collect();
    let passed_on = passed_on(&code(&read(&src.join("lib.rs"))));
    let mut found: Imports = places
        .iter()
        .filter_map(|(at, _)| Some((at.first()?.clone(), BTreeMap::new())))
        .collect();
    for (at, text) in &places {
        let is_test = (1..=at.len()).any(|length| tests.contains(&at[..length]));
        let Some(own) = at.first().filter(|_| !is_test) else {
            continue;
        };
        for name in named(at, &shipped(text)) {
            let module = if found.contains_key(&name) {
                Some(&name)
            } else {
                passed_on.get(&name)
            };
            if let Some(module) = module.filter(|module| *module != own).cloned() {
                let own = found.get_mut(own).expect("entered above");
                own.entry(module).or_default().insert(at.join("/"));
            }
        }
    }
    found
}

/// A circle of modules, each of which imports the next, with the files; none where there is no circle.
pub(crate) fn circle(imports: &Imports) -> Option<String> {
    let reached = |from: &str| -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(module) = open.pop() {
            for next in imports[&module].keys() {
                if reached.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        reached
    };
    let knot: Vec<&String> = imports
        .keys()
        .filter(|module| reached(module).contains(*module))
        .collect();
    let edge = |module: &&String| {
        let inside = imports[*module].iter().filter(|(next, _)| knot.contains(next));
        let told: Vec<String> = inside
            .map(|(next, files)| format!("{next} (in {files:?})"))
            .collect();
        format!("\n  {module} imports {}", told.join(", "))
    };
    (!knot.is_empty()).then(|| knot.iter().map(edge).collect())
}

/// All modules that a module imports, directly or through others.
pub(crate) fn below(imports: &Imports, module: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut open = vec![module.to_owned()];
    while let Some(module) = open.pop() {
        let next = imports[&module].keys();
        open.extend(next.filter(|next| all.insert((*next).clone())).cloned());
    }
    all
}

/// `a/b.rs` and `a/b/mod.rs` are the module a::b, `lib.rs` is the root.
fn place(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if ["mod", "lib", "main"].contains(&parts.last().map_or("", String::as_str)) {
        parts.pop();
    }
    parts
}

/// Modules in files of their own that are only there for tests.
fn test_modules(at: &[String], text: &str) -> Vec<Vec<String>> {
    let code = code(text);
    let declared = code.split("#[cfg(test)]").skip(1).filter_map(|rest| {
        let item = rest.split([';', '{']).next()?.trim();
        let name = item.rsplit("mod ").next().filter(|_| item.contains("mod "))?;
        Some([at, &[name.trim().to_owned()]].concat())
    });
    let by_name = at
        .last()
        .filter(|name| name.ends_with("_tests"))
        .map(|_| at.to_vec());
    declared.chain(by_name).collect()
}

/// Names that the root passes on, with the module they are from.
fn passed_on(code: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for line in code.split(';') {
        let Some((module, rest)) = line
            .trim()
            .strip_prefix("pub use ")
            .and_then(|path| path.split_once("::"))
        else {
            continue;
        };
        for name in rest.trim_matches(['{', '}']).split(',') {
            names.insert(name.trim().to_owned(), module.to_owned());
        }
    }
    names
}

/// First names after the root of the crate, whether it is called `crate` or reached with `super`.
fn named(at: &[String], code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let root = "super::".repeat(at.len());
    for (prefix, exact) in [("crate::", false), (root.as_str(), true)] {
        for (start, _) in code.match_indices(prefix) {
            let before = code[..start].chars().next_back().unwrap_or(' ');
            let rest = code[start + prefix.len()..].trim_start();
            // one `super` more or less is another module
            let other = exact && (code[..start].ends_with("super::") || rest.starts_with("super::"));
            if !(before.is_alphanumeric() || before == '_' || before == '$' || other) {
                names.extend(first_names(rest));
            }
        }
    }
    names
}

/// The first name of a path, or of each path in braces.
fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let text = text.trim_start();
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![word(path)];
    };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (index, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            ',' if depth == 0 => {
                names.push(word(&group[start..index]));
                start = index + 1;
            }
            '}' if depth == 0 => {
                names.push(word(&group[start..index]));
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// What is compiled outside of tests, without comments and texts.
pub(crate) fn shipped(text: &str) -> String {
    let code = code(text);
    let mut parts = code.split("#[cfg(test)]");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut depth = 0;
        let end = part.char_indices().find(|(_, letter)| {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && matches!(letter, '}' | ';')
        });
        kept += end.map_or("", |(index, _)| &part[index + 1..]);
    }
    kept
}

/// The text without comments and what stands in quotes.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r\"")
            || rest.starts_with("r#") && rest[1..].trim_start_matches('#').starts_with('"')
        {
            let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
            let close = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            rest[body..]
                .find(&close)
                .map_or(rest.len(), |end| body + end + close.len())
        } else if letter == '"' {
            quoted(rest, '"')
        } else if letter == '\'' && (rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'')) {
            quoted(rest, '\'')
        } else {
            out.push(letter);
            letter.len_utf8()
        };
        rest = &rest[skipped..];
    }
    out
}

/// Bytes from an opening quote to behind the closing one.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, letter)| {
        let closes = *letter == quote && !escaped;
        escaped = *letter == '\\' && !escaped;
        closes
    });
    end.map_or(text.len(), |(index, _)| index + 1)
}
