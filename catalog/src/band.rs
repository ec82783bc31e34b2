//! What is measured, by common name: `red`, not `B04`.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! bands {
    ($($variant:ident = $name:literal, $doc:literal;)+) => {
        /// A measured quantity (STAC `eo:common_name` where one exists).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        #[non_exhaustive]
        pub enum Band { $(#[doc = $doc] $variant,)+ }

        impl Band {
            /// Every band, in spectral order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The common name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

bands! {
    Coastal = "coastal", "Coastal aerosol, about 443 nm.";
    Blue = "blue", "Blue, about 490 nm.";
    Green = "green", "Green, about 560 nm.";
    Red = "red", "Red, about 665 nm.";
    RedEdge071 = "rededge071", "Red edge, about 704 nm (Sentinel-2 B05).";
    RedEdge075 = "rededge075", "Red edge, about 740 nm (B06).";
    RedEdge078 = "rededge078", "Red edge, about 783 nm (B07).";
    Nir = "nir", "Near infrared, about 833 nm (B08).";
    Nir08 = "nir08", "Narrow near infrared, about 865 nm (B8A, Landsat B5).";
    Nir09 = "nir09", "Water vapour, about 945 nm.";
    Swir16 = "swir16", "Short-wave infrared, about 1.6 um.";
    Swir22 = "swir22", "Short-wave infrared, about 2.2 um.";
    Scl = "scl", "Sentinel-2 scene classification (classes 0-11).";
    QaPixel = "qa_pixel", "Landsat Collection 2 quality bits.";
    Vv = "vv", "Radar backscatter, co-polarised, linear power.";
    Vh = "vh", "Radar backscatter, cross-polarised, linear power.";
}

impl Band {
    /// True for class and bit layers, which are never averaged.
    pub const fn is_categorical(self) -> bool {
        matches!(self, Self::Scl | Self::QaPixel)
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Band> for &'static str {
    fn from(band: Band) -> Self {
        band.name()
    }
}

impl TryFrom<String> for Band {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for Band {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|band| band.name() == text)
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|band| band.name()).collect();
                Error::Invalid(format!("`{text}` is no band; known are {}", known.join(", ")))
            })
    }
}
