use super::lettering::Lettering;
use super::*;
use crate::encode::IndexedImage;
use sen_catalog::raster::DataType;
use std::sync::Arc;

fn styles() -> Styles {
    Styles::built_in().expect("the built-in styles are valid")
}

fn compiled(id: &str, data_type: DataType, scale: f64, nodata: f64) -> CompiledStyle {
    let stored = Stored {
        data_type,
        scale,
        offset: 0.0,
        nodata: Some(nodata),
    };
    CompiledStyle::new(styles().style(id).expect("built in"), stored).expect("letters are whole")
}

#[test]
fn every_built_in_style_is_valid_and_named_after_its_file() {
    let styles = styles();
    assert!(BuiltIn::iter().count() >= 8);
    for file in BuiltIn::iter() {
        let id = file.strip_suffix(".json").expect("only JSON lies there");
        assert!(styles.style(id).is_some(), "{file} holds a style of another name");
    }
}

#[test]
fn ndvi_colours_follow_the_values_at_the_ends_of_the_domain() {
    let ndvi = compiled("ndvi", DataType::I16, 0.0001, -32768.0);
    let index = |stored: i16| match &ndvi.lookup {
        Lookup::Sixteen(table) => table[usize::from(stored as u16)],
        Lookup::U8(_) | Lookup::Float(_) => unreachable!("int16 has a table of 65536"),
    };
    // 0 transparent, 1 below zero, 2 to 91 the 90 steps of 0.01
    assert_eq!(
        [
            -32768, -32767, -1, 0, 99, 100, 4499, 4500, 8999, 9000, 10_000, 32767
        ]
        .map(index),
        [0, 1, 1, 2, 2, 3, 46, 47, 91, 91, 91, 91]
    );
    assert_eq!(ndvi.palette.len(), 92);
    assert_eq!(ndvi.palette[0], [0; 4]);
    let near = |a: [u8; 4], b: [u8; 4]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 3);
    assert!(
        near(ndvi.palette[2], [0xff, 0xff, 0xe5, 255]) && near(ndvi.palette[91], [0x00, 0x45, 0x29, 255])
    );
}

#[test]
fn floats_and_integers_of_the_same_value_get_the_same_colour() {
    let integers = compiled("evi", DataType::I16, 0.0001, -32768.0);
    let floats = compiled("evi", DataType::F32, 1.0, -9999.0);
    for stored in (-3000..12_000).step_by(7) {
        let float = floats.float_index(f64::from(stored) * 0.0001);
        assert_eq!(integers.float_index(f64::from(stored)), float, "{stored}");
    }
    assert_eq!(floats.float_index(f64::NAN), 0);
}

#[test]
fn flood_classes_are_drawn_apart_and_unknown_ones_not_at_all() {
    let flood = compiled("flood", DataType::U8, 1.0, 255.0);
    let colour = |value: f64| flood.palette[usize::from(flood.float_index(value))];
    assert_eq!(
        [0.0, 1.0, 253.0, 255.0, 77.0].map(colour),
        [
            [0; 4],
            [0x21, 0x66, 0xac, 255],
            [0xd9, 0xd9, 0xd9, 0x99],
            [0; 4],
            [0; 4]
        ]
    );
    let styles = styles();
    let style = styles.style("flood").expect("built in");
    assert!(style.is_not_seen(253.0) && style.is_not_seen(251.0) && !style.is_not_seen(1.0));
    for class in 0..=255_u8 {
        assert_eq!(
            style.is_counted(f64::from(class)),
            sen_catalog::flood::is_water(class),
            "{class}"
        );
        let unseen = style.is_not_seen(f64::from(class));
        assert!(!(unseen && sen_catalog::flood::is_seen(class)), "{class}");
    }
    assert_eq!(
        style.class_title(1.0).map(|title| title.vi.as_str()),
        Some("Nước, chưa rõ loại")
    );
}

#[test]
fn lightness_of_ramps_runs_one_way() {
    for style in styles().all() {
        let Scheme::Ramp { colours, .. } = &style.scheme else {
            continue;
        };
        let lightness: Vec<f64> = colours
            .iter()
            .map(|Colour([r, g, b, _])| {
                // relative luminance, WCAG 2.2
                let linear = |c: &u8| {
                    let c = f64::from(*c) / 255.0;
                    if c <= 0.04045 {
                        c / 12.92
                    } else {
                        ((c + 0.055) / 1.055).powf(2.4)
                    }
                };
                0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
            })
            .collect();
        // a ramp of two colours is lightest in its middle, where nothing has changed
        let lightest = lightness.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        let (lightest, _) = lightest.expect("colours");
        assert!(
            lightest == 0 || lightest == colours.len() / 2,
            "{}: {lightness:?}",
            style.id
        );
        let (rising, falling) = (&lightness[..=lightest], &lightness[lightest..]);
        assert!(
            rising.windows(2).all(|pair| pair[0] < pair[1])
                && falling.windows(2).all(|pair| pair[0] > pair[1]),
            "{}: {lightness:?}",
            style.id
        );
    }
}

#[test]
fn legends_say_the_same_in_both_languages_and_every_letter_can_be_drawn() {
    let letters = Lettering::load().expect("built in");
    for style in styles().all() {
        let (vi, en) = (style.legend_json(Language::Vi), style.legend_json(Language::En));
        assert_eq!(
            vi["entries"].as_array().map(Vec::len),
            en["entries"].as_array().map(Vec::len)
        );
        for legend in [&vi, &en] {
            let titles = legend["entries"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|entry| entry["title"].as_str());
            for title in titles.chain(legend["title"].as_str()) {
                assert!(
                    !title.is_empty() && letters.has_all(title),
                    "{}: {title}",
                    style.id
                );
            }
        }
        for language in [Language::Vi, Language::En] {
            let png = style.legend_png(language, None).expect("drawn");
            let mut reader = png::Decoder::new(std::io::Cursor::new(png))
                .read_info()
                .expect("a header");
            let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
            reader.next_frame(&mut pixels).expect("pixels");
            let info = reader.info();
            assert!(
                info.width >= 100 && info.height >= 50,
                "{} x {}",
                info.width,
                info.height
            );
            assert!(
                info.palette
                    .as_deref()
                    .is_some_and(|palette| palette.len() > 3 * 16),
                "letters have greys"
            );
        }
    }
}

#[test]
fn a_note_stands_below_the_legend_in_lines_no_wider_than_it() {
    let styles = styles();
    let style = styles.style("fire_danger").expect("built in");
    let size = |note: Option<&str>| {
        let png = style.legend_png(Language::Vi, note).expect("drawn");
        let reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("a header");
        (reader.info().width, reader.info().height)
    };
    let (width, height) = size(None);
    let short = size(Some("Quyết định 99/2026/QĐ-UBND"));
    let long = size(Some(&"Bảng cấp của tỉnh (Quyết định 33/2022/QĐ-UBND) ".repeat(4)));
    assert_eq!((short.0, long.0), (width, width));
    assert!(
        height < short.1 && short.1 < long.1,
        "{height} {short:?} {long:?}"
    );
}

#[test]
fn a_wrong_style_is_refused_and_says_where() {
    let json = include_str!("../../../styles/raster/ndvi.json");
    let refused = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        Style::from_json(&json.replace(from, to))
            .expect_err("wrong")
            .to_string()
    };
    assert!(refused("#ffffe5", "#ffffe").contains("#ffffe"));
    assert!(refused("[0, 0.9]", "[0.9, 0]").contains("domain"));
    assert!(refused("\"steps\"", "\"stepz\"").contains("stepz"));
    assert!(refused("0.6, 0.9]", "0.6, 1.9]").contains("ticks"));
}

/// A picture of one class with an island of another, marked.
fn marked(id: &str, ground: f64, island: f64, side: usize) -> (CompiledStyle, IndexedImage, usize) {
    let style = compiled(id, DataType::U8, 1.0, 255.0);
    let [ground, island] = [ground, island].map(|value| style.float_index(value));
    let mut indices = vec![ground; 256 * 256];
    for row in 100..100 + side {
        indices[row * 256 + 100..][..side].fill(island);
    }
    let palette = Arc::clone(&style.palette);
    let mut image = IndexedImage {
        width: 256,
        height: 256,
        indices,
        palette,
    };
    style.marks.draw(&mut image);
    let left = image
        .indices
        .iter()
        .copied()
        .filter(|index| *index == island)
        .count();
    (style, image, left)
}

#[test]
fn levels_of_fire_bear_their_numeral_and_lost_forest_lines() {
    let (style, image, left) = marked("fire_danger", 1.0, 4.0, 40);
    let ink = style
        .palette
        .iter()
        .position(|colour| *colour == [0x22, 0x22, 0x22, 255])
        .expect("ink") as u8;
    let inked = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        let count = |row: usize| {
            image.indices[row * 256..][columns.clone()]
                .iter()
                .copied()
                .filter(|index| *index == ink)
                .count()
        };
        rows.map(count).sum::<usize>()
    };
    // `IV` stands on the block of 40 pixels whole, `I` on the ground in squares of 64
    assert!(inked(100..140, 100..140) > 20 && left < 1600, "{left}");
    assert_eq!(inked(0..64, 0..64), inked(192..256, 192..256));
    assert!(inked(0..64, 0..64) > 8);
    // the edges of the picture bear none: the next tile does not know of it
    assert_eq!(inked(0..2, 0..256) + inked(254..256, 0..256), 0);

    // a block too small for the letters keeps its colour
    assert_eq!(marked("fire_danger", 1.0, 4.0, 8).2, 64);

    let (_, lost, left) = marked("forest_cover", 1.0, 3.0, 40);
    assert_eq!(left, 1200, "two of eight pixels are lines");
    let kept = lost.indices[0];
    assert!(
        lost.indices[..256].iter().all(|index| *index == kept),
        "kept forest has no lines"
    );
    // lines go on over the edge of tiles
    assert_eq!(256 % 8, 0);
}
