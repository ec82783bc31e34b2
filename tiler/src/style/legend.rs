//! The legend of a style, as JSON for the page and as a picture.

use super::lettering::Lettering;
use super::{ClassMark, Colour, Language, Scheme, Style};
use crate::encode::{Format, IndexedImage, encode};
use sen_catalog::Result;
use serde_json::{Map, Value, json};

/// How an entry is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    Plain,
    /// Grey diagonal lines: not seen.
    Hatch,
}

/// A named colour of the legend.
struct Entry<'a> {
    colour: Colour,
    title: &'a str,
    pattern: Pattern,
    /// What is drawn over the colour on the map.
    mark: Option<&'a ClassMark>,
    /// What the entry stands for: class number, ends of an interval, state.
    about: Vec<(&'static str, Value)>,
}

/// The grey of what was not seen.
const NOT_SEEN: Colour = Colour([0xd9, 0xd9, 0xd9, 0x99]);

impl Style {
    /// The legend for the page and other programs.
    pub fn legend_json(&self, language: Language) -> Value {
        let mut legend = json!({
            "style": self.id,
            "title": self.title.get(language),
            "unit": self.unit,
            "unit_title": self.unit_title.as_ref().map_or("", |unit| unit.get(language)),
            "language": language.tag(),
        });
        match &self.scheme {
            Scheme::Ramp {
                domain,
                colours,
                ticks,
                steps,
                ..
            } => {
                let stops: Vec<Value> = colours
                    .iter()
                    .enumerate()
                    .map(|(i, colour)| {
                        let t = i as f64 / (colours.len() - 1) as f64;
                        // six digits: 0.1125, not 0.11250000000000002
                        let value = ((domain[0] + (domain[1] - domain[0]) * t) * 1e6).round() / 1e6;
                        json!({ "value": value, "colour": colour })
                    })
                    .collect();
                legend["kind"] = "ramp".into();
                legend["domain"] = json!(domain);
                legend["steps"] = json!(steps);
                legend["ticks"] = json!(ticks);
                legend["stops"] = stops.into();
            }
            Scheme::Intervals { .. } => legend["kind"] = "intervals".into(),
            Scheme::Classes { ordered, .. } => {
                legend["kind"] = "classes".into();
                if *ordered {
                    legend["ordered"] = true.into();
                }
            }
        }
        let entries = self.entries(language).into_iter().map(|entry| {
            let mut object = Map::new();
            object.extend(
                entry
                    .about
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value)),
            );
            object.insert("colour".to_owned(), entry.colour.rgb().into());
            object.insert("opacity".to_owned(), entry.colour.opacity().into());
            object.insert("title".to_owned(), entry.title.into());
            match entry.pattern {
                Pattern::Plain => None,
                Pattern::Hatch => object.insert("pattern".to_owned(), "hatch".into()),
            };
            match entry.mark {
                None => None,
                Some(ClassMark::Hatch) => object.insert("mark".to_owned(), "hatch".into()),
                Some(ClassMark::Numeral(text)) => object.insert("numeral".to_owned(), text.as_str().into()),
            };
            Value::Object(object)
        });
        legend["entries"] = entries.collect();
        legend
    }

    /// What the legend lists beside the ramp: classes, then what was not seen.
    fn entries(&self, language: Language) -> Vec<Entry<'_>> {
        let mut entries = Vec::new();
        match &self.scheme {
            Scheme::Ramp { domain, below, .. } => entries.extend(below.iter().map(|below| Entry {
                colour: below.colour,
                title: below.title.get(language),
                pattern: Pattern::Plain,
                mark: None,
                about: vec![("max", domain[0].into())],
            })),
            Scheme::Intervals { breaks, classes } => {
                entries.extend(classes.iter().enumerate().map(|(i, class)| {
                    let min = i.checked_sub(1).map(|i| ("min", breaks[i].into()));
                    let max = breaks.get(i).map(|max| ("max", (*max).into()));
                    Entry {
                        colour: class.colour,
                        title: class.title.get(language),
                        pattern: Pattern::Plain,
                        mark: None,
                        about: min.into_iter().chain(max).collect(),
                    }
                }));
            }
            Scheme::Classes { classes, .. } => {
                entries.extend(classes.iter().filter(|class| class.colour.0[3] > 0).map(|class| {
                    Entry {
                        colour: class.colour,
                        title: class.title.get(language),
                        pattern: if class.not_seen {
                            Pattern::Hatch
                        } else {
                            Pattern::Plain
                        },
                        mark: class.mark.as_ref(),
                        about: [("value", class.value.into())]
                            .into_iter()
                            .chain(class.not_seen.then(|| ("state", "not_seen".into())))
                            .collect(),
                    }
                }));
            }
        }
        entries.extend(self.not_seen.iter().map(|title| Entry {
            colour: NOT_SEEN,
            title: title.get(language),
            pattern: Pattern::Hatch,
            mark: None,
            about: vec![("state", "not_seen".into())],
        }));
        entries
    }

    /// The legend as a PNG picture, with a note below.
    ///
    /// # Errors
    /// Only when the program's own letters are damaged.
    pub fn legend_png(&self, language: Language, note: Option<&str>) -> Result<Vec<u8>> {
        let letters = Lettering::load()?;
        let entries = self.entries(language);
        let title = match &self.unit_title {
            Some(unit) => format!("{} ({})", self.title.get(language), unit.get(language)),
            None => self.title.get(language).to_owned(),
        };
        let labels: Vec<(f64, String)> = match &self.scheme {
            Scheme::Ramp { ticks, domain, .. } => ticks
                .iter()
                .map(|tick| {
                    (
                        (tick - domain[0]) / (domain[1] - domain[0]),
                        number(*tick, language),
                    )
                })
                .collect(),
            Scheme::Intervals { .. } | Scheme::Classes { .. } => Vec::new(),
        };
        let line = letters.height + 4;
        let widest = entries
            .iter()
            .map(|entry| SWATCH + 8 + letters.width(entry.title))
            .max()
            .unwrap_or(0);
        let content = letters
            .width(&title)
            .max(widest)
            .max(if labels.is_empty() { 0 } else { BAR });
        let ramp_rows = if labels.is_empty() {
            0
        } else {
            SWATCH_ROWS + line + 4
        };
        let note = note.map_or_else(Vec::new, |note| wrap(note, &letters, content));
        let mut sheet = Sheet::new(
            content + 2 * MARGIN,
            line + ramp_rows + (entries.len() + note.len()) * line + 2 * MARGIN,
        );
        sheet.text(&letters, MARGIN, MARGIN, &title);
        let mut y = MARGIN + line + 2;
        if !labels.is_empty() {
            for x in 0..BAR {
                let colour = self
                    .scheme
                    .colour_at((x * BAR_COLOURS / BAR) as f64 / (BAR_COLOURS - 1) as f64);
                for row in 0..SWATCH_ROWS {
                    sheet.dot(MARGIN + x, y + row, colour);
                }
            }
            for (t, label) in &labels {
                let x = MARGIN + (t * (BAR - 1) as f64) as usize;
                (0..3).for_each(|row| sheet.dot(x, y + SWATCH_ROWS + row, INK));
                let half = letters.width(label) / 2;
                let x = x.saturating_sub(half).clamp(MARGIN / 2, MARGIN + BAR - half);
                sheet.text(&letters, x, y + SWATCH_ROWS + 2, label);
            }
            y += ramp_rows;
        }
        for entry in &entries {
            sheet.swatch(MARGIN, y + (letters.height - SWATCH_ROWS) / 2, entry);
            if let Some(ClassMark::Numeral(text)) = entry.mark {
                let left = (SWATCH.saturating_sub(letters.width(text))) / 2;
                sheet.text(&letters, MARGIN + left, y, text);
            }
            sheet.text(&letters, MARGIN + SWATCH + 8, y, entry.title);
            y += line;
        }
        for text in &note {
            sheet.text(&letters, MARGIN, y, text);
            y += line;
        }
        sheet.png()
    }
}

/// Blank pixels around the legend.
const MARGIN: usize = 10;
/// Columns of a ramp and of a class.
const BAR: usize = 256;
const SWATCH: usize = 26;
/// Rows of both.
const SWATCH_ROWS: usize = 14;
/// Colours of a drawn ramp: with the greys of the letters they fit one palette.
const BAR_COLOURS: usize = 128;
const INK: Colour = Colour([0x22, 0x22, 0x22, 255]);
const PAPER: Colour = Colour([255; 4]);

/// A text in lines of at most `width` pixels; a longer word has a line of its own.
fn wrap(text: &str, letters: &Lettering, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if letters.width(&format!("{line} {word}")) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A number as the language writes it.
fn number(value: f64, language: Language) -> String {
    let text = format!("{value}").replace('-', "\u{2212}");
    match language {
        Language::Vi => text.replace('.', ","),
        Language::En => text,
    }
}

/// A white sheet to draw on.
struct Sheet {
    width: usize,
    height: usize,
    palette: Vec<[u8; 4]>,
    indices: Vec<u8>,
}

impl Sheet {
    fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            palette: vec![PAPER.0],
            indices: vec![0; width * height],
        }
    }

    /// Paints a pixel; what is not opaque lies on the paper.
    fn dot(&mut self, x: usize, y: usize, colour: Colour) {
        let [r, g, b, opacity] = colour.0;
        let colour = PAPER.mix(Colour([r, g, b, 255]), f64::from(opacity) / 255.0).0;
        let known = self.palette.iter().position(|entry| *entry == colour);
        let index = known.unwrap_or_else(|| {
            if self.palette.len() < 256 {
                self.palette.push(colour);
            }
            self.palette.len() - 1
        });
        if x < self.width && y < self.height {
            self.indices[y * self.width + x] = index as u8;
        }
    }

    fn text(&mut self, letters: &Lettering, x: usize, y: usize, text: &str) {
        let Colour([r, g, b, _]) = INK;
        letters.draw(text, |column, row, darkness| {
            self.dot(x + column, y + row, Colour([r, g, b, darkness]));
        });
    }

    fn swatch(&mut self, x: usize, y: usize, entry: &Entry<'_>) {
        let line = Colour([0x8c, 0x8c, 0x8c, 255]);
        for row in 0..SWATCH_ROWS {
            for column in 0..SWATCH {
                let edge = row == 0 || column == 0 || row + 1 == SWATCH_ROWS || column + 1 == SWATCH;
                let colour = match entry.pattern {
                    _ if edge => line,
                    Pattern::Hatch if (row + column) % 6 == 0 => line,
                    Pattern::Plain if entry.mark == Some(&ClassMark::Hatch) && (row + column) % 8 < 2 => {
                        PAPER
                    }
                    Pattern::Plain | Pattern::Hatch => entry.colour,
                };
                self.dot(x + column, y + row, colour);
            }
        }
    }

    fn png(self) -> Result<Vec<u8>> {
        let image = IndexedImage {
            width: self.width,
            height: self.height,
            indices: self.indices,
            palette: self.palette.into(),
        };
        encode(&image, Format::Png)
    }
}
