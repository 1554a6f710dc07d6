//! What TLS stacks do with defects of what the other side sends.
//!
//! In: `stacks.toml`, which is made from recordings of real programs. Out: each stack with the shape of its hello and its
//! answers, and which stack a hello fits. Bounded: by the data, read once. Left to others: which defects a handshake has
//! (`diagnosis`), and whether an answer explains its ending.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Deserializer};

use super::fact::{Provenance, source};
use crate::protocol::tls::{AlertCode, ClientHello, Version, is_grease};

/// The data of the program, made by `captures/record/stacks/matrix.py`.
const TEXT: &str = include_str!("stacks.toml");

static BUILTIN: LazyLock<Arc<Document>> = LazyLock::new(|| {
    // A test reads it, so that text which cannot be read never gets as far as a user.
    Arc::new(toml::from_str(TEXT).unwrap_or_default())
});

/// What is known of who refuses what. Copies share one table.
#[derive(Clone, Debug)]
pub struct Stacks(Arc<Document>);

impl Default for Stacks {
    fn default() -> Self {
        Self(Arc::clone(&BUILTIN))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    defect: Vec<DefectRow>,
    #[serde(deserialize_with = "shared")]
    stack: Vec<Arc<Stack>>,
}

/// Reads stacks so that handshakes can refer to them.
fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<Stack>>, D::Error> {
    Ok(Vec::<Stack>::deserialize(deserializer)?.into_iter().map(Arc::new).collect())
}

/// A defect of what one side sends, for which some stacks refuse it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefectRow {
    /// Its name in the data.
    pub id: String,
    /// The code of the finding that it belongs to.
    pub code: String,
    /// What it is, as a clause.
    pub words: String,
    /// The side that answers to it.
    #[serde(default)]
    pub by: Answerer,
}

/// The side of a handshake that accepts or refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answerer {
    /// The client, to what the server sends.
    #[default]
    Client,
    /// The server, to the client's certificate.
    Server,
}

/// A TLS implementation of one version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Its name in the data.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The version that the answers are of.
    pub versions: String,
    /// The program that was recorded, and how it was set up.
    pub program: String,
    /// Whether its answers were recorded, or are documented only.
    pub provenance: Basis,
    /// The version of TLS in which its answers were recorded.
    pub tls: Option<String>,
    /// The recordings, paths in the repository.
    #[serde(default)]
    pub captures: Vec<String>,
    hello: Option<Shape>,
    #[serde(default)]
    answers: BTreeMap<String, Answer>,
    /// Answers that nobody recorded.
    #[serde(default)]
    pub documented: Vec<Documented>,
}

/// Where the answers of a stack come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// Recordings of it.
    Measured,
    /// What others wrote, or what follows from that.
    Documented,
}

/// An answer that nobody recorded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documented {
    /// The defect.
    pub defect: String,
    /// The answer to it.
    pub answer: Answer,
    /// How well it is known.
    pub provenance: Provenance,
    /// Who says so.
    #[serde(deserialize_with = "source")]
    pub source: String,
}

/// What a stack does about a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// What it does.
    pub reaction: Reaction,
    /// Whether it does so only once the handshake is finished.
    pub after: bool,
}

/// What a stack does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// It goes on.
    Accepts,
    /// It refuses; how is not known.
    Refuses,
    /// It ends the handshake with this alert.
    Alert(AlertCode),
    /// It closes the connection without an alert.
    Close,
    /// It resets the connection without an alert.
    Reset,
}

impl Answer {
    /// Whether the handshake goes on.
    pub fn accepts(self) -> bool {
        self.reaction == Reaction::Accepts
    }

    /// The alert by which it refuses.
    pub fn alert(self) -> Option<AlertCode> {
        match self.reaction {
            Reaction::Alert(code) => Some(code),
            Reaction::Accepts | Reaction::Refuses | Reaction::Close | Reaction::Reset => None,
        }
    }

    /// From a word of the data: `accepts`, `refuses`, `alert 48`, `close` or `reset`, perhaps with ` after` behind it.
    fn parse(text: &str) -> Option<Self> {
        let (word, after) = text.strip_suffix(" after").map_or((text, false), |word| (word, true));
        let reaction = match word {
            "accepts" => Reaction::Accepts,
            "refuses" => Reaction::Refuses,
            "close" => Reaction::Close,
            "reset" => Reaction::Reset,
            _ => Reaction::Alert(AlertCode(word.strip_prefix("alert ")?.parse().ok()?)),
        };
        Some(Self { reaction, after })
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no answer")))
    }
}

/// As the end of a sentence about a stack.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reaction {
            Reaction::Accepts => f.write_str("accepts"),
            Reaction::Refuses => f.write_str("refuses"),
            Reaction::Alert(code) => write!(f, "{code}"),
            Reaction::Close => f.write_str("closes"),
            Reaction::Reset => f.write_str("resets"),
        }?;
        if self.after { f.write_str(" after the handshake") } else { Ok(()) }
    }
}

/// The ClientHello of a stack's defaults, without GREASE and without the extensions that depend on the server's name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    version: u16,
    suites: Vec<u16>,
    extensions: Vec<u16>,
    groups: Vec<u16>,
    signature_algorithms: Vec<u16>,
    versions: Vec<u16>,
    point_formats: Vec<u8>,
    compressions: Vec<u8>,
    /// Whether it has GREASE somewhere (RFC 8701).
    #[serde(rename = "grease")]
    _grease: bool,
    /// Whether the order of the extensions changes from hello to hello, so that they are listed by number.
    permuted: bool,
}

/// Extensions that depend on the server's name (server_name and padding), and those that the program around a stack asks
/// for (status_request and ALPN).
const NOT_OF_THE_STACK: [u16; 4] = [0, 21, 5, 16];

impl Shape {
    /// Whether a hello has this shape.
    fn fits(&self, hello: &ClientHello) -> bool {
        let own = |kinds: &[u16]| {
            let mut own: Vec<u16> = kinds.iter().copied().filter(|kind| !NOT_OF_THE_STACK.contains(kind)).collect();
            if self.permuted {
                own.sort_unstable();
            }
            own
        };
        let versions: Vec<u16> = hello.versions.iter().map(|version| version.0).collect();
        let highest = versions.is_empty() && hello.version == Version(self.version);
        let suites = hello.cipher_suites.iter().filter(|suite| !is_grease(**suite));
        let schemes = hello.signature_algorithms.iter().flatten().filter(|scheme| !is_grease(**scheme));
        !hello.sslv2
            && suites.eq(&self.suites)
            && schemes.eq(&self.signature_algorithms)
            && hello.groups == self.groups
            && hello.point_formats == self.point_formats
            && hello.compressions == self.compressions
            && (highest || !versions.is_empty())
            && versions == self.versions
            && own(&hello.extensions) == own(&self.extensions)
    }
}

impl Stack {
    /// Its answer to a defect; `None` where it was not measured.
    pub fn answer(&self, defect: &str) -> Option<Answer> {
        self.answers.get(defect).copied()
    }

    /// Its name and version.
    pub fn title(&self) -> String {
        format!("{} {}", self.name, self.versions)
    }
}

impl Stacks {
    /// The stacks, those with recordings first.
    pub fn all(&self) -> &[Arc<Stack>] {
        &self.0.stack
    }

    /// The defects, in the order of their codes.
    pub fn defects(&self) -> &[DefectRow] {
        &self.0.defect
    }

    /// The defect of a name.
    pub fn defect(&self, id: &str) -> Option<&DefectRow> {
        self.0.defect.iter().find(|row| row.id == id)
    }

    /// The stack whose hello this is; `None` if several fit, or none (D-TRUST-17).
    pub fn recognize(&self, hello: &ClientHello) -> Option<&Arc<Stack>> {
        let mut fitting =
            self.0.stack.iter().filter(|stack| stack.hello.as_ref().is_some_and(|shape| shape.fits(hello)));
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// The measured answers to a defect, by stack.
    pub fn answers<'a>(&'a self, defect: &'a str) -> impl Iterator<Item = (&'a Arc<Stack>, Answer)> {
        self.0.stack.iter().filter_map(move |stack| Some((stack, stack.answer(defect)?)))
    }

    /// The same without one of the stacks.
    pub fn without(&self, id: &str) -> Self {
        let mut document = Document::clone(&self.0);
        document.stack.retain(|stack| stack.id != id);
        Self(Arc::new(document))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_can_be_read_and_every_answer_is_about_a_defect() {
        let document: Document = toml::from_str(TEXT).unwrap();
        assert!(document.stack.len() >= 12 && document.defect.len() >= 45);
        for stack in &document.stack {
            let named = stack.answers.keys().chain(stack.documented.iter().map(|each| &each.defect));
            for defect in named {
                assert!(document.defect.iter().any(|row| row.id == *defect), "{}: {defect}", stack.id);
            }
            assert_eq!(stack.provenance == Basis::Measured, stack.hello.is_some(), "{}", stack.id);
        }
    }

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        let alert = |code| Some(Answer { reaction: Reaction::Alert(AlertCode(code)), after: false });
        assert_eq!(Answer::parse("alert 48"), alert(48));
        assert_eq!(Answer::parse("close after"), Some(Answer { reaction: Reaction::Close, after: true }));
        assert_eq!(Answer::parse("accepts").map(Answer::accepts), Some(true));
        assert_eq!((Answer::parse("alert 300"), Answer::parse("shrugs")), (None, None));
    }
}
