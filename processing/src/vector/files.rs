//! Which vector files a path means: a file, those of a folder, those of a zip; and what is too big to be read at all.

use crate::gdal_io::vector::{VsiFile, has_ending};
use crate::{Error, Result};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Ends of the names of what is read. A shapefile goes by its `.shp`.
const ENDINGS: &[&str] = &[
    "gpkg", "geojson", "json", "geojsonl", "geojsons", "ndjson", "shp", "tab", "mif", "fgb", "csv", "tsv",
];
/// Those of them that OGR reads; everything else is text.
const OGR_ENDINGS: &[&str] = &["gpkg", "shp", "tab", "mif", "fgb"];
/// Files of more than this are looked through for absurd texts before a parser is let at them, bytes.
const LARGE_BYTES: u64 = 32 << 20;
/// Longest text or row that a parser is given, bytes: five million vertices written as text.
const MAX_TEXT_BYTES: u64 = 256 << 20;
/// Largest member of a zip that is read in place, bytes.
const MAX_MEMBER_BYTES: u64 = 2 << 30;

/// One file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorFile {
    /// What people call it.
    pub name: String,
    /// How it is opened: a path, or `/vsizip/{archive}/member`.
    pub path: String,
}

/// What a file is as far as this matters for who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// GeoJSON, or another JSON.
    Json,
    /// A table as text.
    Table,
    /// What OGR knows.
    Ogr,
}

/// The format by the ending of the name; of other endings by how the file begins.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn format(file: &VectorFile) -> Result<Format> {
    if OGR_ENDINGS.iter().any(|ending| has_ending(&file.path, ending)) {
        return Ok(Format::Ogr);
    }
    if ["csv", "tsv"].iter().any(|ending| has_ending(&file.path, ending)) {
        return Ok(Format::Table);
    }
    if ENDINGS.iter().any(|ending| has_ending(&file.path, ending)) {
        return Ok(Format::Json);
    }
    let damaged = |error: std::io::Error| Error::unreadable(&file.name, format!("cannot be read: {error}"));
    let mut text = crate::textfile::open(open(file)?).map_err(damaged)?;
    let head = text.reader.fill_buf().map_err(damaged)?;
    Ok(match head.trim_ascii_start().first() {
        Some(b'{' | b'[' | 0x1e) => Format::Json,
        Some(_) if has_ending(&file.path, "txt") => Format::Table,
        _ => Format::Ogr,
    })
}

/// The bytes of a file, also of one inside a zip.
///
/// # Errors
/// When there is no such file.
pub(super) fn open(file: &VectorFile) -> Result<Box<dyn Read>> {
    if file.path.starts_with("/vsi") {
        let member = VsiFile::open(&file.path);
        return member
            .map(|member| Box::new(member) as Box<dyn Read>)
            .ok_or_else(|| Error::unreadable(&file.name, "cannot be read"));
    }
    let file = File::open(&file.path).map_err(|error| Error::io(&file.path, error))?;
    Ok(Box::new(file))
}

/// The vector files that a path means, in the order of their names.
///
/// # Errors
/// When there is no such path, or nothing in it that is read here.
pub fn resolve(path: &Path) -> Result<Vec<VectorFile>> {
    let name = path.display().to_string();
    let nothing = || {
        Error::unreadable(
            &name,
            format!("holds no vector file; read are .{}", ENDINGS.join(", .")),
        )
    };
    let metadata = std::fs::metadata(path).map_err(|_| Error::unreadable(&name, "there is no such file"))?;
    let mut found = if metadata.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| Error::io(path, error))?;
        let inside: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|inside| inside.is_file() && wanted(&inside.to_string_lossy()))
            .map(|inside| plain(&inside))
            .collect();
        inside
    } else if has_ending(&name, "zip") {
        members(path, &name)?
    } else {
        return Ok(vec![plain(path)]);
    };
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if found.is_empty() {
        Err(nothing())
    } else {
        Ok(found)
    }
}

fn plain(path: &Path) -> VectorFile {
    VectorFile {
        name: path.display().to_string(),
        path: path.to_string_lossy().into_owned(),
    }
}

fn wanted(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

fn members(path: &Path, name: &str) -> Result<Vec<VectorFile>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| Error::unreadable(name, format!("is no zip archive: {error}")))?;
    let absolute = std::path::absolute(path).map_err(|error| Error::io(path, error))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let member = archive
            .by_index_raw(index)
            .map_err(|error| Error::unreadable(name, format!("is a damaged zip archive: {error}")))?;
        // programs of Windows write `folder\a.shp`; GDAL finds it as `folder/a.shp`
        let inside = member.name().replace('\\', "/");
        if member.size() > MAX_MEMBER_BYTES {
            let reason = format!(
                "`{inside}` unpacks to {} bytes; unpack the archive first",
                member.size()
            );
            return Err(Error::unreadable(name, reason));
        }
        let hidden = inside
            .rsplit('/')
            .next()
            .is_some_and(|file| file.starts_with('.'));
        if wanted(&inside) && !hidden && !inside.starts_with("__MACOSX") {
            found.push(VectorFile {
                name: format!("{name}: {inside}"),
                path: format!("/vsizip/{{{}}}/{inside}", absolute.display()),
            });
        }
    }
    Ok(found)
}

/// Refuses texts that no parser should be asked to hold: a text of a JSON, a row of a CSV.
///
/// # Errors
/// Names the file and the byte where the text begins.
pub(super) fn refuse_absurd_texts(file: &VectorFile) -> Result<()> {
    let format = format(file)?;
    let json = format == Format::Json;
    if format == Format::Ogr || file.path.starts_with("/vsizip") {
        return Ok(());
    }
    let open = File::open(&file.path).map_err(|error| Error::io(&file.path, error))?;
    if open
        .metadata()
        .is_ok_and(|metadata| metadata.len() <= LARGE_BYTES)
    {
        return Ok(());
    }
    longest(open, json, MAX_TEXT_BYTES)
        .map_err(|error| Error::io(&file.path, error))?
        .map_or(Ok(()), |start| {
            let what = if json { "a text" } else { "a row" };
            let reason = format!(
                "{what} that begins at byte {start} is longer than {MAX_TEXT_BYTES} bytes; take it out"
            );
            Err(Error::unreadable(&file.name, reason))
        })
}

/// Where a quoted text (of a JSON) or an unquoted line (of a CSV) begins that is too long.
fn longest(reader: impl Read, json: bool, limit: u64) -> std::io::Result<Option<u64>> {
    let mut reader = BufReader::with_capacity(1 << 20, reader);
    let mut buffer = vec![0_u8; 1 << 20];
    let (mut position, mut start, mut quoted, mut escaped) = (0_u64, 0_u64, false, false);
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        for &byte in &buffer[..read] {
            position += 1;
            if escaped {
                escaped = false;
            } else if byte == b'\\' && json && quoted {
                escaped = true;
            } else if byte == b'"' {
                quoted = !quoted;
                if json {
                    start = position;
                }
            } else if byte == b'\n' && !json && !quoted {
                start = position;
            }
            if (quoted || !json) && position - start > limit {
                return Ok(Some(start));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_texts_are_found_where_they_begin() {
        let endless = std::io::repeat(b'x').take(5_000_000);
        let json = std::io::Cursor::new(b"{\"note\": \"".to_vec()).chain(endless);
        assert_eq!(longest(json, true, 4_000_000).expect("reads"), Some(10));
        let sound = std::io::repeat(b'1').take(5_000_000);
        assert_eq!(
            longest(sound, true, 4_000_000).expect("reads"),
            None,
            "numbers are no text"
        );
    }

    #[test]
    fn folders_and_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        assert!(
            resolve(folder.path())
                .expect_err("empty")
                .to_string()
                .contains(".gpkg")
        );
        for name in ["b.shp", "b.dbf", "a.gpkg", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").expect("written");
        }
        let names: Vec<_> = resolve(folder.path())
            .expect("two")
            .into_iter()
            .map(|file| file.name.rsplit('/').next().expect("a name").to_owned())
            .collect();
        assert_eq!(names, ["a.gpkg", "b.shp"]);
        assert!(resolve(&folder.path().join("c.gpkg")).is_err());
    }
}
