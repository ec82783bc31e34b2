//! Files whose pieces are held against their checksums.

use super::{ReadAt, sum_file};
use crate::item::PIECE_BYTES;
use crate::{Asset, Assets, Error};
use std::fs;
use std::sync::Arc;

/// Two whole pieces and a part of a third.
const LENGTH: usize = 2 * PIECE_BYTES as usize + 1000;

/// A folder with one file, and its asset.
fn made(folder: &std::path::Path) -> (Assets, Asset, Vec<u8>) {
    let assets = Assets::open(folder).expect("folders");
    let bytes: Vec<u8> = (0..LENGTH as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let path = assets.path("a/b.tif");
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(&path, &bytes).expect("written");
    let asset = sum_file(&path).expect("read").of_asset(Asset::new("a/b.tif"));
    (assets, asset, bytes)
}

/// The same file with one bit another.
fn flip(assets: &Assets, at: usize) {
    let path = assets.path("a/b.tif");
    let mut bytes = fs::read(&path).expect("read");
    bytes[at] ^= 0x10;
    fs::write(&path, bytes).expect("written");
}

fn is_damaged<T>(result: Result<T, Error>) -> bool {
    matches!(result.err(), Some(Error::Damaged { .. }))
}

#[test]
fn whatever_range_is_read_has_the_bytes_of_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let (assets, asset, bytes) = made(folder.path());
    let piece = PIECE_BYTES as usize;
    let ranges = [
        (0, 0),
        (0, 1),
        (0, piece),
        (0, LENGTH),
        (5, piece),
        (piece - 1, piece + 1),
        (piece, 2 * piece),
        (piece - 3, 2 * piece + 3),
        (2 * piece, LENGTH),
        (LENGTH - 1, LENGTH),
        (LENGTH, LENGTH),
    ];
    // each alone on a fresh memory, then all on one
    for (start, end) in ranges {
        let object = Assets::at(folder.path()).open_object(&asset).expect("opens");
        let mut read = vec![0; end - start];
        object.read_into(&mut read, start as u64).expect("fits");
        assert!(read == bytes[start..end], "{start}..{end}");
    }
    let object = assets.open_object(&asset).expect("opens");
    assert_eq!(object.size(), LENGTH as u64);
    for (start, end) in ranges.into_iter().chain(ranges) {
        let mut read = vec![0; end - start];
        object.read_into(&mut read, start as u64).expect("fits");
        assert!(read == bytes[start..end], "{start}..{end}");
    }
    for (length, offset) in [(1, LENGTH as u64), (2, LENGTH as u64 - 1), (1, u64::MAX)] {
        assert!(
            object.read_into(&mut vec![0; length], offset).is_err(),
            "{length} at {offset}"
        );
    }
    assert!(assets.damage().is_empty());
}

#[test]
fn a_flipped_bit_anywhere_is_met_by_who_reads_its_piece_and_by_nobody_else() {
    let folder = tempfile::tempdir().expect("folder");
    let (assets, asset, bytes) = made(folder.path());
    let piece = PIECE_BYTES as usize;
    for at in [0, 1, piece - 1, piece, piece + 77, 2 * piece, LENGTH - 1] {
        flip(&assets, at);
        let assets = Assets::at(folder.path());
        let object = assets.open_object(&asset).expect("opens");
        let wrong = at / piece;
        for other in (0..3).filter(|other| *other != wrong) {
            let mut byte = [0];
            object.read_into(&mut byte, (other * piece) as u64).expect("fits");
            assert_eq!(byte[0], bytes[other * piece]);
        }
        assert!(assets.damage().is_empty());
        let mut byte = [0];
        assert!(
            is_damaged(object.read_into(&mut byte, (wrong * piece) as u64)),
            "{at}"
        );
        assert!(is_damaged(object.read_into(&mut vec![0; LENGTH], 0)), "{at}");
        assert!(
            is_damaged(assets.open_whole(&asset)) && is_damaged(assets.check_object(&asset)),
            "{at}"
        );
        assert!(assets.damage().contains("a/b.tif") && !assets.is_whole(&asset));
        flip(&assets, at);
        assets.check_object(&asset).expect("as it was");
        assert!(assets.damage().is_empty() && assets.is_whole(&asset));
    }
}

#[test]
fn a_file_without_sums_of_pieces_is_read_whole_once_and_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("folder");
    let (assets, mut asset, _) = made(folder.path());
    asset.piece_sums = None;
    assets.open_object(&asset).expect("fits");
    flip(&assets, 300_000);
    assert!(is_damaged(assets.open_object(&asset)));
    flip(&assets, 300_000);
    assets.open_object(&asset).expect("as it was");
}

#[test]
fn what_fits_is_remembered_after_the_file_was_closed_and_not_of_another_file() {
    let folder = tempfile::tempdir().expect("folder");
    let (assets, asset, bytes) = made(folder.path());
    assets.open_whole(&asset).expect("fits");
    let path = assets.path("a/b.tif");
    // the same inode, size and times: what was verified is not read again
    let state = || {
        let about = fs::metadata(&path).expect("there");
        super::verified::FileState::new(&about, asset.sha256.as_deref().expect("a checksum"))
    };
    let files = Arc::new(super::VerifiedFiles::default());
    files.pieces(state(), 3).insert(2);
    assert!(files.pieces(state(), 3).contains(2) && !files.pieces(state(), 3).contains(1));
    let before = state();
    let other = folder.path().join("other");
    fs::write(&other, &bytes).expect("written");
    fs::rename(&other, &path).expect("moved");
    assert!(state() != before && !files.pieces(state(), 3).contains(2));
    // shorter than the row says: seen at once
    fs::write(&path, &bytes[1..]).expect("written");
    assert!(is_damaged(assets.open_object(&asset)));
}

#[test]
fn equal_bytes_stay_where_they_lie_and_damaged_ones_are_replaced() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().expect("folder");
    let (assets, asset, bytes) = made(folder.path());
    let inode = || fs::metadata(assets.path("a/b.tif")).expect("there").ino();
    let publish = || {
        let temporary = assets.temporary("x");
        fs::write(&temporary, &bytes).expect("written");
        assets.publish(&temporary, "a/b.tif").expect("published");
        assert!(!temporary.exists());
    };
    let first = inode();
    publish();
    assert_eq!(inode(), first);
    flip(&assets, 9);
    assert!(is_damaged(assets.check_object(&asset)));
    publish();
    assert_ne!(inode(), first);
    assert!(assets.is_whole(&asset) && assets.open_whole(&asset).is_ok());
    assert!(
        assets.remove_object("a/b.tif").expect("removed") && !assets.remove_object("a/b.tif").expect("gone")
    );
    assert!(!assets.path("a").exists());
}
