//! Text in legend pictures, from letters drawn beforehand (`glyphs/`): Latin with the Vietnamese letters.

use sen_catalog::{Error, Result};
use serde::Deserialize;
use std::collections::HashMap;
use std::io::Cursor;

#[derive(Deserialize)]
struct Widths {
    letters: String,
    widths: Vec<usize>,
}

/// Letters of one size.
#[derive(Debug)]
pub(super) struct Lettering {
    /// Darkness of each pixel, 0 to 255, all letters side by side.
    pixels: Vec<u8>,
    stride: usize,
    /// Rows of a line of text.
    pub(super) height: usize,
    /// First column and width of each letter.
    places: HashMap<char, (usize, usize)>,
}

impl Lettering {
    pub(super) fn load() -> Result<Self> {
        let broken = |reason: String| Error::Invalid(format!("letters of the legends: {reason}"));
        let widths: Widths = serde_json::from_str(include_str!("glyphs/glyphs.json"))
            .map_err(|error| broken(error.to_string()))?;
        let decoder = png::Decoder::new(Cursor::new(include_bytes!("glyphs/glyphs.png")));
        let mut reader = decoder.read_info().map_err(|error| broken(error.to_string()))?;
        let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
        let info = reader
            .next_frame(&mut pixels)
            .map_err(|error| broken(error.to_string()))?;
        let (stride, height) = (info.width as usize, info.height as usize);
        let mut places = HashMap::new();
        let mut column = 0;
        for (letter, width) in widths.letters.chars().zip(&widths.widths) {
            places.insert(letter, (column, *width));
            column += width;
        }
        if column != stride || info.line_size != stride || pixels.len() != stride * height {
            return Err(broken(format!(
                "widths add up to {column}, the picture has {stride} grey columns"
            )));
        }
        Ok(Self {
            pixels,
            stride,
            height,
            places,
        })
    }

    fn place(&self, letter: char) -> (usize, usize) {
        self.places
            .get(&letter)
            .or_else(|| self.places.get(&'?'))
            .copied()
            .unwrap_or((0, 0))
    }

    /// Columns a text takes.
    pub(super) fn width(&self, text: &str) -> usize {
        text.chars().map(|letter| self.place(letter).1).sum()
    }

    /// Calls `dot(column, row, darkness)` for each inked pixel of a text.
    pub(super) fn draw(&self, text: &str, mut dot: impl FnMut(usize, usize, u8)) {
        let mut x = 0;
        for letter in text.chars() {
            let (column, width) = self.place(letter);
            for row in 0..self.height {
                let line = &self.pixels[row * self.stride + column..][..width];
                for (i, darkness) in line.iter().enumerate().filter(|(_, darkness)| **darkness > 0) {
                    dot(x + i, row, *darkness);
                }
            }
            x += width;
        }
    }

    /// True when every letter of the text can be drawn.
    #[cfg(test)]
    pub(super) fn has_all(&self, text: &str) -> bool {
        text.chars().all(|letter| self.places.contains_key(&letter))
    }
}
