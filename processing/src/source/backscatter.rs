//! What the values of radar scenes are: power, its root, or decibel.

use sen_catalog::Item;

/// Property of scenes whose radar bands are stored in decibel.
const DECIBEL: &str = "sen:decibel";
/// Property of radar scenes: what their values are.
const UNITS: &str = "sen:units";
/// The units of scenes whose radar bands hold the root of the power.
pub(crate) const AMPLITUDE: &str = "amplitude";

/// What the scaled values of a radar band are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BackscatterScale {
    /// Linear power.
    Power,
    /// Its root.
    Amplitude,
    /// Ten times its common logarithm.
    Decibel,
}

impl BackscatterScale {
    /// What the properties of a scene say.
    pub(crate) fn of(scene: &Item) -> Self {
        let property = |name: &str| scene.properties.get(name);
        if property(DECIBEL).and_then(serde_json::Value::as_bool) == Some(true) {
            Self::Decibel
        } else if is_amplitude(scene) {
            Self::Amplitude
        } else {
            Self::Power
        }
    }
}

/// True for radar scenes whose values are to be squared.
pub(crate) fn is_amplitude(scene: &Item) -> bool {
    scene.properties.get(UNITS).and_then(serde_json::Value::as_str) == Some(AMPLITUDE)
}
