//! Colours as the web writes them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A colour: red, green, blue and opacity (255 is opaque), not premultiplied. Written `#rrggbb` or `#rrggbbaa`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Colour(pub [u8; 4]);

impl Colour {
    /// Nothing drawn.
    pub const TRANSPARENT: Self = Self([0; 4]);

    /// The opaque part, `#rrggbb`.
    pub fn rgb(self) -> String {
        let [r, g, b, _] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// Opacity from 0 to 1, to a hundredth.
    pub fn opacity(self) -> f64 {
        (f64::from(self.0[3]) / 2.55).round() / 100.0
    }

    /// The colour at `t` (0 to 1) between this one and another, in sRGB.
    #[must_use]
    pub fn mix(self, other: Self, t: f64) -> Self {
        Self(std::array::from_fn(|i| {
            let (a, b) = (f64::from(self.0[i]), f64::from(other.0[i]));
            (a + (b - a) * t).round() as u8
        }))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rgb())?;
        if self.0[3] == 255 {
            Ok(())
        } else {
            write!(f, "{:02x}", self.0[3])
        }
    }
}

impl FromStr for Colour {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a colour; write #rrggbb or #rrggbbaa");
        let digits = text
            .strip_prefix('#')
            .filter(|digits| digits.is_ascii())
            .ok_or_else(wrong)?;
        if digits.len() != 6 && digits.len() != 8 {
            return Err(wrong());
        }
        let mut colour = [255; 4];
        for (i, channel) in colour.iter_mut().take(digits.len() / 2).enumerate() {
            *channel = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(colour))
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

impl TryFrom<String> for Colour {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
