//! Enums with one word for each variant.
//!
//! In: an enum, written with a word behind each variant. Out: the enum, and that word in text (`as_str`), in JSON
//! (serde) and, in tests, in the JSON Schema. Bounded: nothing is kept. Left to others: what a variant means.

/// Defines an enum whose variants have no fields: `Variant = "word"`. The traits that all of them share are derived
/// here; an enum names further ones itself.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $vis:vis enum $name:ident {
            $($(#[$of_variant:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$of_variant])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All variants, in the order in which they are declared.
            $vis const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that text, JSON and expectations use.
            $vis const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// Two words, one of which no rule derives from the variant's name.
        enum Weather {
            /// No cloud.
            Fair = "fair",
            /// Rain.
            Rain = "raining-cats-and-dogs",
        }
    }

    #[test]
    fn a_variant_has_one_word_everywhere() {
        assert_eq!(Weather::ALL, [Weather::Fair, Weather::Rain]);
        assert_eq!(Weather::Rain.as_str(), "raining-cats-and-dogs");
        for weather in Weather::ALL {
            let json = serde_json::to_value(weather).unwrap();
            assert_eq!(json, weather.as_str());
            assert_eq!(serde_json::from_value::<Weather>(json).unwrap(), *weather);
        }
        assert!(serde_json::from_value::<Weather>("rain".into()).is_err());
        let schema = serde_json::to_string(&schemars::schema_for!(Weather)).unwrap();
        assert!(schema.contains(r#""raining-cats-and-dogs""#), "{schema}");
    }
}
