//! The river takes land: two times compared, by rasters of water and by the weeks of the flood layer.

use crate::harness::Sen;
use crate::scenes::{self, RICE, WATER};

/// A river of 20 columns through the little province; `moved` columns of its right bank are gone in rows 32 to 95.
fn river(moved: usize) -> impl Fn(usize, usize) -> bool {
    move |column, row| {
        (40..60).contains(&column) || ((60..60 + moved).contains(&column) && (32..96).contains(&row))
    }
}

fn raster(sen: &Sen, name: &str, water: impl Fn(usize, usize) -> bool) -> String {
    let path = sen.path(name);
    let cells: Vec<u8> = (0..128 * 128)
        .map(|index| u8::from(water(index % 128, index / 128)))
        .collect();
    scenes::write::<u8>(&path, scenes::grid(), None, &cells);
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn rasters_of_two_years_give_hectares_and_metres_and_a_layer_of_the_map() {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let (before, after) = (
        raster(&sen, "2015.tif", river(0)),
        raster(&sen, "2025.tif", river(4)),
    );
    let answer = sen.run(&["erosion", &before, &after, "--json"]).expect(0).json();
    let [reach] = &answer["reaches"].as_array().expect("reaches")[..] else {
        panic!("one reach of 1.3 km: {answer}");
    };
    // by hand: 64 x 4 cells of 100 m2; two banks of 127 squares of cells
    assert_eq!(reach["change"], "erosion");
    let number = |name: &str| reach[name].as_f64().expect("a number");
    assert!((number("eroded_ha") - 2.56).abs() < 1e-9 && (number("retreat_max_m") - 40.0).abs() < 1e-6);
    assert!((number("bank_m") - 2540.0).abs() < 1e-6);
    assert!((number("retreat_mean_m") - 25_600.0 / 2540.0).abs() < 1e-6);
    assert_eq!(reach["min_detectable_m"], 10.0);

    let text = sen.run(&["erosion", &before, &after]).expect(0).stdout;
    assert!(
        text.contains("R0001") && text.contains("2.56") && text.contains("a pixel is 10 m"),
        "{text}"
    );
    let service = sen.serve();
    let zone: serde_json::Value = service
        .get("/api/v1/zones/riverbanks/R0001")
        .json()
        .expect("a feature");
    assert_eq!(zone["properties"]["change"], "erosion");
    assert_eq!(zone["properties"]["eroded_ha"], 2.56);
    let said = &zone["properties"]["riverbank"]["sentence"];
    assert_eq!(said["vi"], "Bờ lùi tối đa 40 m, mất 2,56 ha (2015 – 2025).");
    assert_eq!(
        said["en"],
        "The bank retreated by up to 40 m, 2.56 ha lost (2015 – 2025)."
    );
    // the page of a reach names its change with units, and no file of the server
    let page = service.get("/zones/riverbanks/R0001").text().expect("a page");
    for part in [
        "Bờ sông",
        "Bờ lùi tối đa 40 m, mất 2,56 ha",
        "<dt>Đất mất</dt><dd>2,56 ha</dd>",
    ] {
        assert!(page.contains(part), "no `{part}` in {page}");
    }
    for part in ["retreat_max_m", "accreted_ha", "2015.tif", "Chưa có ảnh vệ tinh"] {
        assert!(!page.contains(part), "`{part}` in {page}");
    }
    let english = service.get("/zones/riverbanks/R0001?lang=en").text();
    assert!(english.is_ok_and(|page| page.contains("<dt>Farthest retreat</dt><dd>40.0 m</dd>")));
    let legend: serde_json::Value = service
        .get("/api/v1/legends/riverbanks?lang=vi")
        .json()
        .expect("a legend");
    assert!(legend.to_string().contains("Sạt lở"), "{legend}");
    let tiles = service.get("/api/v1/zones/riverbanks?limit=5").status();
    assert_eq!(tiles, 200);
}

#[test]
fn weeks_of_flood_tell_the_water_that_stays() {
    let sen = Sen::new();
    let source = sen.path("source");
    let weeks = [
        ("2025-08", ["05", "12", "19"], 0),
        ("2026-08", ["04", "11", "18"], 4),
    ];
    for (month, days, moved) in weeks {
        for (index, day) in days.iter().enumerate() {
            let id = format!("S2A_48PWS_{}{day}_0_L2A", month.replace('-', ""));
            scenes::sentinel2(
                &source,
                &id,
                &format!("{month}-{day}T03:21:31Z"),
                |column, row| {
                    // one week of each year a paddy is under water too
                    let paddy = index == 0 && (80..120).contains(&column) && (40..80).contains(&row);
                    if river(moved)(column, row) || paddy {
                        WATER
                    } else {
                        RICE
                    }
                },
            );
        }
    }
    sen.ingest(&source, &[]).expect(0);
    let few = sen.run(&["erosion", "2025", "2026"]).expect(1).text();
    assert!(few.contains("3 weeks") && few.contains("--min-looks"), "{few}");
    let answer = sen
        .run(&[
            "erosion",
            "2025",
            "2026-W30/2026-W40",
            "--min-looks",
            "3",
            "--json",
        ])
        .expect(0)
        .json();
    let reaches = answer["reaches"].as_array().expect("reaches");
    assert_eq!(reaches.len(), 1, "the paddy is no river: {answer}");
    assert!(
        (reaches[0]["eroded_ha"].as_f64().expect("number") - 2.56).abs() < 1e-9,
        "{answer}"
    );
    assert!(
        answer["after"]
            .as_str()
            .expect("text")
            .contains("3 weeks of flood in 2026-W30")
    );
}

#[test]
fn what_cannot_be_compared_is_said() {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let before = raster(&sen, "a.tif", river(0));
    let says = |args: &[&str], code: i32, word: &str| {
        let text = sen.run(args).expect(code).text();
        assert!(text.contains(word), "`{word}` is not in: {text}");
    };
    says(
        &["erosion", "nonsense", &before],
        2,
        "no file, no year and no time",
    );
    says(&["erosion", "2025", "2026"], 1, "no week of the flood layer");
    says(&["erosion", &before, &before, "--water", "128"], 1, "--water");
    says(&["erosion", &before, &before, "--share", "2"], 2, "--share");
    says(
        &["erosion", &before, &before, "--reaches", "banks"],
        2,
        "sen import layer",
    );
    says(&["erosion", &before, &before, "--as", "flood"], 2, "raster layer");
    says(
        &["erosion", &before, &before, "--river-width", "400"],
        1,
        "--river-width",
    );
    let same = sen.run(&["erosion", &before, &before, "--json"]).expect(0).json();
    assert_eq!(same["reaches"][0]["change"], "none");
    assert_eq!(same["reaches"][0]["eroded_ha"], 0.0);
}
