//! In: the name of a built-in profile. Out: its text; also the text of a profile to start from. Bounded: by the texts in
//! the program. Left to others: reading them (`profile_file`).

use super::facts::facts;
use super::profile::Profile;

/// The profiles that come with the program.
const BUILTIN: &[(&str, &str)] = &[
    ("lync-phone-edition", include_str!("profiles/lync-phone-edition.toml")),
    ("lync-phone-edition-old-firmware", include_str!("profiles/lync-phone-edition-old-firmware.toml")),
    ("generic-no-aia", include_str!("profiles/generic-no-aia.toml")),
    ("android-teams-phone", include_str!("profiles/android-teams-phone.toml")),
    ("windows-pc", include_str!("profiles/windows-pc.toml")),
    ("rfc5280", include_str!("profiles/rfc5280.toml")),
];

macro_rules! define_template {
    ($($(#[$_doc:meta])* $_key:ident: $_type:ty { shown: $_shown:expr, template: $template:expr, })*) => {
        /// A profile to start from, with every key explained: the facts of the table stand between what comes first
        /// and the lists, which TOML wants last.
        const TEMPLATE: &str = concat!(
            include_str!("profiles/template-head.toml"),
            $($template,)*
            "\n",
            include_str!("profiles/template-lists.toml"),
        );
    };
}

facts!(define_template);

impl Profile {
    /// The profile that describes no device but every check of RFC 5280.
    pub const RFC_5280: &str = "rfc5280";

    /// The names of the profiles that come with the program, in order.
    pub fn names() -> Vec<&'static str> {
        BUILTIN.iter().map(|(name, _)| *name).collect()
    }

    /// The text of the profile of that name that comes with the program.
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// The text of a profile to start from.
    pub fn template() -> &'static str {
        TEMPLATE
    }
}
