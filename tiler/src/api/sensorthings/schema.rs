//! What the entities of each set have: properties with their types, and where navigations lead. A name that is not here is
//! a mistake of the client, and is told as one.

/// A set of entities, in the order of the service document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    Things,
    Locations,
    HistoricalLocations,
    Datastreams,
    Sensors,
    ObservedProperties,
    Observations,
    FeaturesOfInterest,
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Text,
    /// An instant or an interval.
    Time,
    Geometry,
    /// An object whose members are not known before.
    Free,
    /// An object of these members.
    Members(&'static [(&'static str, Type)]),
    /// Something that is shown and neither compared nor sorted by.
    Shown,
}

const UNIT: &[(&str, Type)] = &[
    ("name", Type::Text),
    ("symbol", Type::Text),
    ("definition", Type::Text),
];
const QUALITY: &[(&str, Type)] = &[
    ("flag", Type::Number),
    ("tests", Type::Shown),
    ("arrived", Type::Time),
];

/// What a path of names leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// A property's type; none when the path ends at an entity.
    pub(super) kind: Option<Type>,
    /// How many names lead to the first set that the path goes through.
    pub(super) through: Option<usize>,
}

impl Set {
    pub(super) const ALL: [Self; 8] = [
        Self::Things,
        Self::Locations,
        Self::HistoricalLocations,
        Self::Datastreams,
        Self::Sensors,
        Self::ObservedProperties,
        Self::Observations,
        Self::FeaturesOfInterest,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Things => "Things",
            Self::Locations => "Locations",
            Self::HistoricalLocations => "HistoricalLocations",
            Self::Datastreams => "Datastreams",
            Self::Sensors => "Sensors",
            Self::ObservedProperties => "ObservedProperties",
            Self::Observations => "Observations",
            Self::FeaturesOfInterest => "FeaturesOfInterest",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// Properties but `@iot.id`.
    pub(super) fn properties(self) -> &'static [(&'static str, Type)] {
        use Type::{Free, Geometry, Members, Number, Shown, Text, Time};
        match self {
            Self::Things => &[("name", Text), ("description", Text), ("properties", Free)],
            Self::Locations => &[
                ("name", Text),
                ("description", Text),
                ("encodingType", Text),
                ("location", Geometry),
                ("properties", Free),
            ],
            Self::FeaturesOfInterest => &[
                ("name", Text),
                ("description", Text),
                ("encodingType", Text),
                ("feature", Geometry),
                ("properties", Free),
            ],
            Self::HistoricalLocations => &[("time", Time)],
            Self::Datastreams => &[
                ("name", Text),
                ("description", Text),
                ("observationType", Text),
                ("unitOfMeasurement", Members(UNIT)),
                ("observedArea", Geometry),
                ("phenomenonTime", Time),
                ("properties", Free),
            ],
            Self::Sensors => &[
                ("name", Text),
                ("description", Text),
                ("encodingType", Text),
                ("metadata", Shown),
                ("properties", Free),
            ],
            Self::ObservedProperties => &[
                ("name", Text),
                ("definition", Text),
                ("description", Text),
                ("properties", Free),
            ],
            Self::Observations => &[
                ("phenomenonTime", Time),
                ("result", Number),
                ("resultTime", Time),
                ("resultQuality", Members(QUALITY)),
                ("validTime", Time),
                ("parameters", Free),
            ],
        }
    }

    /// Navigations: the set they lead to, and whether to many of it.
    pub(super) fn navigations(self) -> &'static [(&'static str, Self, bool)] {
        match self {
            Self::Things => &[
                ("Locations", Self::Locations, true),
                ("HistoricalLocations", Self::HistoricalLocations, true),
                ("Datastreams", Self::Datastreams, true),
            ],
            Self::Locations => &[
                ("Things", Self::Things, true),
                ("HistoricalLocations", Self::HistoricalLocations, true),
            ],
            Self::HistoricalLocations => &[
                ("Thing", Self::Things, false),
                ("Locations", Self::Locations, true),
            ],
            Self::Datastreams => &[
                ("Thing", Self::Things, false),
                ("Sensor", Self::Sensors, false),
                ("ObservedProperty", Self::ObservedProperties, false),
                ("Observations", Self::Observations, true),
            ],
            Self::Sensors | Self::ObservedProperties => &[("Datastreams", Self::Datastreams, true)],
            Self::Observations => &[
                ("Datastream", Self::Datastreams, false),
                ("FeatureOfInterest", Self::FeaturesOfInterest, false),
            ],
            Self::FeaturesOfInterest => &[("Observations", Self::Observations, true)],
        }
    }

    /// Where a navigation leads, and whether to many.
    pub(super) fn navigation(self, name: &str) -> Option<(Self, bool)> {
        let found = self.navigations().iter().find(|(own, ..)| *own == name);
        found.map(|(_, set, many)| (*set, *many))
    }

    /// The type of a property.
    pub(super) fn property(self, name: &str) -> Option<Type> {
        if is_id(name) {
            let texts = matches!(self, Self::Observations | Self::ObservedProperties);
            return Some(if texts { Type::Text } else { Type::Number });
        }
        let found = self.properties().iter().find(|(own, _)| *own == name);
        found.map(|(_, kind)| *kind)
    }

    /// What a path of names leads to from an entity of this set.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn resolve(self, path: &[String]) -> Result<Place, String> {
        let (mut set, mut through) = (self, None);
        for (at, name) in path.iter().enumerate() {
            if let Some(kind) = set.property(name) {
                let rest = path.get(at + 1..).unwrap_or_default();
                let kind = member(kind, rest).ok_or_else(|| self.unknown(set, path))?;
                return Ok(Place {
                    kind: Some(kind),
                    through,
                });
            }
            let (next, many) = set.navigation(name).ok_or_else(|| self.unknown(set, path))?;
            if many && next == Self::Observations {
                return Err(format!(
                    "`{}` goes through all Observations of an entity, which is not offered; ask for Observations and \
                     filter them by their Datastream or FeatureOfInterest",
                    path.join("/")
                ));
            }
            if many && through.replace(at + 1).is_some() {
                return Err(format!(
                    "`{}` goes through two sets; one is offered",
                    path.join("/")
                ));
            }
            set = next;
        }
        Ok(Place { kind: None, through })
    }

    fn unknown(self, at: Self, path: &[String]) -> String {
        let names = at.properties().iter().map(|(name, _)| *name);
        let names: Vec<_> = names
            .chain(at.navigations().iter().map(|(name, ..)| *name))
            .collect();
        format!(
            "`{}` is no property of {}; {} have id, {}",
            path.join("/"),
            self.name(),
            at.name(),
            names.join(", ")
        )
    }
}

/// `id` and `@iot.id` are one.
pub(super) fn is_id(name: &str) -> bool {
    matches!(name, "id" | "@iot.id")
}

pub(super) fn member(kind: Type, rest: &[String]) -> Option<Type> {
    match (kind, rest) {
        (kind, []) => Some(kind),
        (Type::Free, _) => Some(Type::Free),
        (Type::Members(members), [name, rest @ ..]) => {
            let found = members.iter().find(|(own, _)| own == name)?;
            member(found.1, rest)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(set: Set, path: &str) -> Result<Place, String> {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        set.resolve(&path)
    }

    #[test]
    fn paths_lead_to_what_there_is() {
        let kind = |set, path| resolve(set, path).expect(path).kind;
        assert_eq!(kind(Set::Observations, "result"), Some(Type::Number));
        assert_eq!(
            kind(Set::Observations, "Datastream/Thing/@iot.id"),
            Some(Type::Number)
        );
        assert_eq!(
            kind(Set::Datastreams, "unitOfMeasurement/symbol"),
            Some(Type::Text)
        );
        assert_eq!(kind(Set::Things, "properties/a/b"), Some(Type::Free));
        assert_eq!(kind(Set::ObservedProperties, "id"), Some(Type::Text));
        let many = resolve(Set::Things, "Datastreams/ObservedProperty/name").expect("a path");
        assert_eq!((many.kind, many.through), (Some(Type::Text), Some(1)));
        for (set, path) in [
            (Set::Things, "nosuch"),
            (Set::Things, "result"),
            (Set::Observations, "Datastream/nosuch"),
            (Set::Datastreams, "unitOfMeasurement/nosuch"),
            (Set::Datastreams, "name/length"),
            (Set::Datastreams, "Observations/result"),
            (Set::ObservedProperties, "Datastreams/Thing/Datastreams/name"),
        ] {
            let told = resolve(set, path).expect_err(path);
            assert!(told.contains(&format!("`{path}`")), "{told}");
        }
    }
}
