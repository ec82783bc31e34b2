//! What is drawn over a class beside its colour, so that levels and losses are told apart by who does not see the colours:
//! a numeral here and there, or lines.

use super::Scheme;
use super::lettering::Lettering;
use crate::encode::IndexedImage;
use sen_catalog::Result;
use serde::Deserialize;

/// How a class is marked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassMark {
    /// A few letters, `IV`.
    Numeral(String),
    /// Diagonal lines.
    Hatch,
}

/// One numeral a square of so many pixels. Tiles of every size are whole numbers of it: none is cut at their edges.
const SQUARE: usize = 64;
/// Pixels from a hatch line to the next, of which [`HATCH_LINE`] are drawn; tiles are whole numbers of it as well.
const HATCH_STEP: usize = 8;
const HATCH_LINE: usize = 2;
/// Pixels between the places that are tried in a square.
const TRIES_STEP: usize = 6;
const INK: [u8; 4] = [0x22, 0x22, 0x22, 255];
const PAPER: [u8; 4] = [255, 255, 255, 255];

/// The letters of a numeral with a rim of one pixel around them.
#[derive(Debug)]
struct Stamp {
    width: usize,
    height: usize,
    /// True for ink, false for the rim.
    dots: Vec<(usize, usize, bool)>,
}

impl Stamp {
    fn new(letters: &Lettering, text: &str) -> Self {
        let mut inked = Vec::new();
        letters.draw(text, |x, y, darkness| {
            if darkness > 110 {
                inked.push((x, y));
            }
        });
        let left = inked.iter().map(|dot| dot.0).min().unwrap_or(0);
        let top = inked.iter().map(|dot| dot.1).min().unwrap_or(0);
        // a rim around, and a pixel of the class around that
        for (x, y) in &mut inked {
            (*x, *y) = (*x - left + 2, *y - top + 2);
        }
        let around = |&(x, y): &(usize, usize)| {
            let near = |at: usize| [at - 1, at, at + 1];
            near(x).into_iter().flat_map(move |x| near(y).map(|y| (x, y)))
        };
        let mut rim: Vec<_> = inked
            .iter()
            .flat_map(around)
            .filter(|dot| !inked.contains(dot))
            .collect();
        rim.sort_unstable();
        rim.dedup();
        let ends = |of: fn(&(usize, usize)) -> usize| inked.iter().map(of).max().map_or(0, |most| most + 3);
        Self {
            width: ends(|dot| dot.0),
            height: ends(|dot| dot.1),
            dots: rim
                .into_iter()
                .map(|(x, y)| (x, y, false))
                .chain(inked.iter().map(|&(x, y)| (x, y, true)))
                .collect(),
        }
    }
}

#[derive(Debug)]
enum Drawing {
    Stamp(Stamp),
    Hatch,
}

/// The marks of a style, by palette index.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    by_index: Vec<Option<Drawing>>,
    ink: u8,
    paper: u8,
}

impl Marks {
    /// The marks of a scheme whose palette is `palette`, to which their two colours are added.
    ///
    /// # Errors
    /// Only when the program's own letters are damaged.
    pub(super) fn new(scheme: &Scheme, palette: &mut Vec<[u8; 4]>) -> Result<Self> {
        let Scheme::Classes { classes, .. } = scheme else {
            return Ok(Self::default());
        };
        if classes.iter().all(|class| class.mark.is_none()) {
            return Ok(Self::default());
        }
        let letters = Lettering::load()?;
        let drawing = |mark: &ClassMark| match mark {
            ClassMark::Numeral(text) => Drawing::Stamp(Stamp::new(&letters, text)),
            ClassMark::Hatch => Drawing::Hatch,
        };
        let marks = classes.iter().map(|class| class.mark.as_ref().map(drawing));
        let by_index = std::iter::once(None).chain(marks).collect();
        let first = palette.len() as u8; // `Scheme::check` leaves room for two
        palette.extend([INK, PAPER]);
        Ok(Self {
            by_index,
            ink: first,
            paper: first + 1,
        })
    }

    fn drawing(&self, index: u8) -> Option<&Drawing> {
        self.by_index.get(usize::from(index))?.as_ref()
    }

    /// Draws the marks over a picture of palette indices.
    pub(crate) fn draw(&self, image: &mut IndexedImage) {
        if self.by_index.is_empty() {
            return;
        }
        for top in (0..image.height).step_by(SQUARE) {
            for left in (0..image.width).step_by(SQUARE) {
                self.draw_stamp(image, left, top);
            }
        }
        let width = image.width;
        for (at, index) in image.indices.iter_mut().enumerate() {
            let is_line = (at % width + at / width) % HATCH_STEP < HATCH_LINE;
            if is_line && matches!(self.drawing(*index), Some(Drawing::Hatch)) {
                *index = self.paper;
            }
        }
    }

    /// Puts one numeral of each class into a square, as near to its middle as the class fills the place.
    fn draw_stamp(&self, image: &mut IndexedImage, left: usize, top: usize) {
        let right = (left + SQUARE).min(image.width);
        let bottom = (top + SQUARE).min(image.height);
        // by palette index: how far off the middle, and where
        let mut best: Vec<Option<(usize, usize, usize)>> = vec![None; self.by_index.len()];
        for y in (top..bottom).step_by(TRIES_STEP) {
            for x in (left..right).step_by(TRIES_STEP) {
                let index = image.indices[y * image.width + x];
                let Some(Drawing::Stamp(stamp)) = self.drawing(index) else {
                    continue;
                };
                if x + stamp.width > right || y + stamp.height > bottom {
                    continue;
                }
                let off = (2 * x + stamp.width).abs_diff(left + right)
                    + (2 * y + stamp.height).abs_diff(top + bottom);
                let best = &mut best[usize::from(index)];
                if best.is_some_and(|best| best.0 <= off) {
                    continue;
                }
                let fills = (y..y + stamp.height).all(|row| {
                    let line = &image.indices[row * image.width + x..][..stamp.width];
                    line.iter().all(|other| *other == index)
                });
                if fills {
                    *best = Some((off, x, y));
                }
            }
        }
        for (place, drawing) in best.into_iter().zip(&self.by_index) {
            let (Some((_, x, y)), Some(Drawing::Stamp(stamp))) = (place, drawing) else {
                continue;
            };
            for (column, row, is_ink) in &stamp.dots {
                let at = (y + row) * image.width + x + column;
                image.indices[at] = if *is_ink { self.ink } else { self.paper };
            }
        }
    }
}
