use super::*;

/// Decodes with the `png` crate, which shares no code with the writer; indices of any depth as bytes.
fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>, Vec<u8>) {
    let mut decoder = ::png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(::png::Transformations::EXPAND | ::png::Transformations::ALPHA);
    let mut reader = decoder.read_info().expect("a header");
    let mut rgba = vec![0; reader.output_buffer_size().expect("small")];
    let info = reader.next_frame(&mut rgba).expect("pixels");
    (
        info.width,
        info.height,
        rgba,
        reader.info().palette.as_deref().unwrap_or_default().to_vec(),
    )
}

#[test]
fn a_decoder_finds_the_same_colours_at_every_bit_depth() {
    for (colours, width) in [
        (1, 5),
        (2, 9),
        (3, 7),
        (4, 8),
        (5, 3),
        (16, 11),
        (17, 6),
        (256, 33),
        (91, 257),
    ] {
        let palette: Palette = (0..colours)
            .map(|i| {
                [
                    i as u8,
                    (7 * i) as u8,
                    255 - i as u8,
                    if i % 3 == 0 { (i / 2) as u8 } else { 255 },
                ]
            })
            .collect();
        let indices: Vec<u8> = (0..width * 4).map(|i| (i * 31 % colours) as u8).collect();
        let image = IndexedImage {
            width,
            height: 4,
            indices,
            palette,
        };
        let (w, h, rgba, _) = decode(&encode(&image, Format::Png).expect("encodes"));
        assert_eq!((w as usize, h as usize), (width, 4));
        let expected: Vec<u8> = image
            .indices
            .iter()
            .flat_map(|i| image.palette[usize::from(*i)])
            .collect();
        assert_eq!(rgba, expected, "{colours} colours");

        let webp = encode(&image, Format::Webp).expect("encodes");
        let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(webp)).expect("a header");
        let mut pixels = vec![0; decoder.output_buffer_size().expect("small")];
        decoder.read_image(&mut pixels).expect("pixels");
        let seen = if decoder.has_alpha() {
            pixels
        } else {
            pixels.chunks(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect()
        };
        assert_eq!(seen, expected, "{colours} colours as webp");
    }
}

#[test]
fn a_picture_that_contradicts_itself_is_refused() {
    let image = IndexedImage {
        width: 3,
        height: 3,
        indices: vec![0; 8],
        palette: vec![[0; 4]].into(),
    };
    assert!(encode(&image, Format::Png).is_err());
}
