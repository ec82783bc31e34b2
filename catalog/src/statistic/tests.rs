use super::*;
use crate::object::sum_file;
use crate::{Asset, Assets};
use std::path::Path;

fn statistic(mean: f64, water_ha: f64) -> ZonalStatistic {
    ZonalStatistic {
        count: 77.25,
        mean: Some(mean),
        min: Some(-0.25),
        max: Some(0.875),
        stdev: Some(0.125),
        median: None,
        p10: None,
        p90: Some(0.75),
        valid_fraction: 0.5,
        area_ha: 0.771,
        classes: BTreeMap::from([(0, 0.5), (1, water_ha)]),
    }
}

fn write(path: &Path) -> Vec<(i64, String, ZonalStatistic)> {
    let rows = vec![
        (3, "DT-002".to_owned(), statistic(0.5, 0.1)),
        (4, "OB 12 – Đồng Tháp".to_owned(), statistic(0.25, 0.0)),
        (9, "DT-001".to_owned(), statistic(0.125, 0.2)),
        (
            700,
            "DT-002".to_owned(),
            ZonalStatistic {
                classes: BTreeMap::from([(0, 0.0), (1, 0.0)]),
                ..ZonalStatistic::default()
            },
        ),
    ];
    let metadata = BTreeMap::from([("item".to_owned(), "ab12".to_owned())]);
    StatisticTable::write(path, &rows, &metadata).expect("written");
    rows
}

#[test]
fn a_table_gives_back_what_was_put_in() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("statistics_plots.arrow");
    let rows = write(&path);
    let table = StatisticTable::open(&path).expect("a table");
    assert_eq!((table.len(), table.metadata()["item"].as_str()), (4, "ab12"));
    for pass in 0..2 {
        for (row, (fid, code, statistic)) in rows.iter().enumerate() {
            assert_eq!(table.row_of(*fid).expect("read"), Some(row), "pass {pass}");
            assert_eq!(&table.code(row).expect("read"), code);
            assert_eq!(&table.statistic(row).expect("read"), statistic);
        }
        for missing in [i64::MIN, 0, 2, 5, 8, 10, 699, 701, i64::MAX] {
            assert_eq!(table.row_of(missing).expect("read"), None, "{missing}");
        }
        // a code used again names the newest
        assert_eq!(table.row_of_code("DT-002").expect("read"), Some(3));
        assert_eq!(table.row_of_code("DT-001").expect("read"), Some(2));
        assert_eq!(table.row_of_code("OB 12 – Đồng Tháp").expect("read"), Some(1));
        assert_eq!(table.row_of_code("DT-0011").expect("read"), None);
        assert_eq!(table.row_of_code("").expect("read"), None);
        // and again with the columns in memory
        assert_eq!(table.fids().expect("read"), [3, 4, 9, 700]);
        assert_eq!(
            table.column("class_1_ha").expect("read"),
            Some(&[0.1, 0.0, 0.2, 0.0][..])
        );
        assert!(table.column("median").expect("read").expect("a column")[0].is_nan());
        assert_eq!(table.column("no_such").expect("read"), None);
    }
    assert!(table.statistic(4).is_err(), "there is no such row");
    assert!(
        table.columns().eq(COLUMNS
            .iter()
            .map(|(name, ..)| *name)
            .chain(["class_0_ha", "class_1_ha"]))
    );
}

#[test]
fn the_same_rows_give_the_same_bytes_and_unordered_ones_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let mut rows = write(&a);
    write(&b);
    assert_eq!(std::fs::read(&a).expect("a"), std::fs::read(&b).expect("b"));
    rows.swap(0, 1);
    let error = StatisticTable::write(&b, &rows, &BTreeMap::new()).expect_err("not in order");
    assert!(error.to_string().contains("4 stands before 3"), "{error}");
    let empty = folder.path().join("empty");
    StatisticTable::write(&empty, &[], &BTreeMap::new()).expect("written");
    let table = StatisticTable::open(&empty).expect("a table without rows");
    assert_eq!(
        (
            table.row_of(1).expect("read"),
            table.row_of_code("A").expect("read"),
            table.fids().expect("read").len()
        ),
        (None, None, 0)
    );
}

#[test]
fn a_damaged_table_is_refused_and_never_a_panic() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("table");
    write(&path);
    let whole = std::fs::read(&path).expect("bytes");
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).expect("cut");
        assert!(StatisticTable::open(&path).is_err(), "cut at {length}");
    }
    for at in (0..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        std::fs::write(&path, &bytes).expect("flipped");
        if let Ok(table) = StatisticTable::open(&path) {
            let _ = table.row_of(9);
            let _ = table.row_of_code("DT-002");
            for row in 0..table.len().min(10) {
                let _ = table.statistic(row);
            }
            let _ = table.fids();
            let _ = table.column("mean");
        }
    }
}

#[test]
fn tables_stay_open_until_they_are_remade() {
    let folder = tempfile::tempdir().expect("folder");
    let assets = Assets::open(folder.path()).expect("assets");
    let made = |name: &str| {
        write(&assets.path(name));
        let sums = sum_file(&assets.path(name)).expect("read");
        sums.of_asset(Asset::new(name))
    };
    let asset = made("t.arrow");
    let tables = StatisticTables::new(1 << 20);
    let first = tables.open(&assets, &asset).expect("a table");
    assert!(std::sync::Arc::ptr_eq(
        &first,
        &tables.open(&assets, &asset).expect("the same")
    ));
    let asset = made("u.arrow");
    assert!(!std::sync::Arc::ptr_eq(
        &first,
        &tables.open(&assets, &asset).expect("another")
    ));
    let gone = tables
        .open(&assets, &Asset::new("gone.arrow"))
        .expect_err("no file");
    assert!(
        matches!(gone, crate::Error::Io { .. }),
        "a file is missing, not a table: {gone}"
    );
}

#[test]
fn a_table_cut_short_while_it_is_open_is_an_error_until_it_is_back_and_never_an_empty_column() {
    let folder = tempfile::tempdir().expect("folder");
    let assets = Assets::open(folder.path()).expect("assets");
    let asset = Asset::new("t.arrow");
    let path = assets.path("t.arrow");
    write(&path);
    let whole = std::fs::read(&path).expect("bytes");
    let tables = StatisticTables::new(1 << 20);
    let table = tables.open(&assets, &asset).expect("a table");
    std::fs::write(&path, []).expect("cut");
    assert!(table.column("mean").is_err());
    assert!(table.fids().is_err());
    assert!(table.row_of(4).is_err());
    assert!(table.row_of_code("DT-001").is_err());
    assert!(table.statistic(0).is_err());
    assert!(table.load().is_err());
    assert!(
        crate::zonal::roll_up_table(&table, &[3, 4]).is_err(),
        "no sum of nothing"
    );
    let reason = tables.open(&assets, &asset).expect_err("still cut");
    assert!(matches!(reason, crate::Error::Damaged { .. }), "{reason}");
    // brought back in place: the same open file reads again, for nothing of the failure was kept
    std::fs::write(&path, &whole).expect("back");
    assert_eq!(table.fids().expect("read").len(), 4);
    assert_eq!(table.column("mean").expect("read").expect("a column")[0], 0.5);
    // brought back as another file: the next who asks has it
    std::fs::write(&path, []).expect("cut");
    assert!(table.column("max").is_err());
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, &whole).expect("back");
    let again = tables.open(&assets, &asset).expect("opened anew");
    assert!(!std::sync::Arc::ptr_eq(&table, &again));
    assert_eq!(again.row_of(9).expect("read"), Some(2));
}

#[test]
fn open_tables_stay_within_their_budget() {
    let folder = tempfile::tempdir().expect("folder");
    let assets = Assets::open(folder.path()).expect("assets");
    let names: Vec<String> = (0..8).map(|number| format!("t{number}.arrow")).collect();
    for name in &names {
        write(&assets.path(name));
    }
    let one = {
        let table = StatisticTable::open(&assets.path("t0.arrow")).expect("a table");
        assert_eq!(table.held_bytes(), 0, "nothing was asked yet");
        table.load().expect("read");
        table.held_bytes()
    };
    assert!(one > 0);
    let tables = StatisticTables::new(3 * one);
    for name in names.iter().cycle().take(200) {
        tables
            .open(&assets, &Asset::new(name))
            .expect("a table")
            .load()
            .expect("read");
        // the one that is in use comes on top, until the next is opened
        assert!(tables.bytes() <= 4 * one, "{} of {}", tables.bytes(), 3 * one);
    }
    let last = tables.open(&assets, &Asset::new("t7.arrow")).expect("a table");
    assert_eq!(last.held_bytes(), one, "the newest is still there");
}
