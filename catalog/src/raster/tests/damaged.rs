//! Damaged and hostile files: an error, never a panic or a large allocation.

use super::super::*;
use super::{picture, profile};
use std::path::Path;

/// Reads all that a file offers.
fn read_all(path: &Path) -> crate::Result<()> {
    let cog = Cog::open(path)?;
    for (level, own) in cog.levels().iter().enumerate() {
        for band in 0..cog.bands().min(4) {
            for row in 0..own.block_rows().min(8) {
                for column in 0..own.block_columns().min(8) {
                    cog.read_block(level, band, column, row)?;
                }
            }
        }
    }
    Ok(())
}

fn sample(compression: Compression, folder: &Path) -> Vec<u8> {
    let path = folder.join("whole.tif");
    let mut writer = CogWriter::create(&path, profile::<u16>(150, 130, compression)).expect("create");
    writer.write_rows(&picture::<u16>(150, 130)).expect("rows");
    writer.finish().expect("finish");
    std::fs::read(&path).expect("the file")
}

#[test]
fn a_truncated_file_is_an_error_at_every_length() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = sample(Compression::Zstd(1), folder.path());
    let path = folder.path().join("cut.tif");
    for length in (0..whole.len()).step_by(whole.len() / 400) {
        std::fs::write(&path, &whole[..length]).expect("write");
        let error = read_all(&path).expect_err("a truncated file");
        assert!(error.to_string().contains("cut.tif"), "{error}");
    }
    // the trailer of the last block is no part of it
    std::fs::write(&path, &whole[..whole.len() - 5]).expect("write");
    assert!(
        read_all(&path)
            .expect_err("a truncated file")
            .to_string()
            .contains("truncated?")
    );
}

#[test]
fn random_damage_never_panics() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("damaged.tif");
    // xorshift: the same damage each run
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for compression in [Compression::Zstd(1), Compression::Deflate(1)] {
        let whole = sample(compression, folder.path());
        let mut refused = 0;
        for round in 0..3000 {
            let mut bytes = whole.clone();
            // mostly the header, where the lies are
            let reach = if round % 4 == 0 { bytes.len() } else { 1400 };
            for _ in 0..=random(3) {
                let at = random(reach);
                bytes[at] = [0, 0xFF, 0x7F, 1, random(256) as u8][random(5)];
            }
            std::fs::write(&path, &bytes).expect("write");
            refused += usize::from(read_all(&path).is_err());
        }
        assert!(refused > 500, "only {refused} of 3000 damaged files were refused");
    }
}

/// Changes the inline value of a tag of the first directory of a classic little-endian file.
fn with_tag(whole: &[u8], tag: u16, value: u32) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let start = u32::from_le_bytes(bytes[4..8].try_into().expect("four bytes")) as usize;
    let count = u16::from_le_bytes([bytes[start], bytes[start + 1]]) as usize;
    for index in 0..count {
        let at = start + 2 + index * 12;
        if u16::from_le_bytes([bytes[at], bytes[at + 1]]) == tag {
            bytes[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
            return bytes;
        }
    }
    panic!("no tag {tag}");
}

#[test]
fn lies_in_the_header_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = sample(Compression::Deflate(1), folder.path());
    let path = folder.path().join("lie.tif");
    for (tag, value, expected) in [
        (256, 0, "width of 0"),
        (256, u32::MAX, "width of 4294967295"),
        (256, 1 << 30, "too many blocks"),
        (257, 100_000, "where"),
        (322, 1 << 30, "too large"),
        (322, 1 << 20, "134217728"),
        (258, 64, "64 bits"),
        (339, 5, "unknown pixels"),
        (259, 5, "LZW, not read here"),
        (259, 7, "JPEG, not read here"),
        (317, 3, "predictor 3"),
        (277, 0, "0 bands"),
        (277, 3, "number of bands"),
        (284, 9, "planar"),
        (324, u32::MAX - 3, "beyond the end"),
        (42113, u32::MAX, ""),
    ] {
        std::fs::write(&path, with_tag(&whole, tag, value)).expect("write");
        match read_all(&path) {
            Err(error) => assert!(error.to_string().contains(expected), "tag {tag}: {error}"),
            Ok(()) => assert!(expected.is_empty(), "tag {tag} = {value} was believed"),
        }
    }
}

#[test]
fn a_block_that_unpacks_to_more_or_less_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for compression in [Compression::Deflate(1), Compression::Zstd(1)] {
        let whole = sample(compression, folder.path());
        let path = folder.path().join("bomb.tif");
        for tile in [32, 48, 80, 128] {
            // the file then promises blocks of another height than its bytes hold
            std::fs::write(&path, with_tag(&whole, 323, tile)).expect("write");
            assert!(read_all(&path).is_err(), "{compression:?} {tile}");
        }
    }
}

#[test]
fn a_writer_leaves_nothing_behind_when_it_is_dropped_or_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.tif");
    let mut writer =
        CogWriter::create(&path, profile::<u16>(150, 130, Compression::Zstd(1))).expect("create");
    writer.write_rows(&picture::<u16>(150, 64)).expect("rows");
    assert!(writer.write_rows(&[1i16; 150]).is_err(), "another type");
    assert!(writer.write_rows(&[1u16; 149]).is_err(), "half a row");
    assert!(
        writer.write_rows(&vec![1u16; 150 * 67]).is_err(),
        "a row too many"
    );
    assert!(
        writer
            .finish()
            .expect_err("rows are missing")
            .to_string()
            .contains("64 of its 130 rows")
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 0);
    let nowhere = folder.path().join("no/such/folder/a.tif");
    let profile = profile::<u16>(150, 130, Compression::Zstd(1));
    assert!(matches!(
        CogWriter::create(&nowhere, profile),
        Err(crate::Error::Io { .. })
    ));
}

#[test]
fn the_same_pixels_make_the_same_bytes_with_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let once = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool");
        pool.install(|| sample(Compression::Zstd(3), folder.path()))
    };
    let first = once(1);
    assert!(first == once(4) && first == once(3));
}
