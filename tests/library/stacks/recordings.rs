//! In: `tests/stacks`. Out: each recording with what is true of it by construction. Left to others: what the program
//! makes of it.

use std::path::PathBuf;

use chaingap::report::Report;
use chaingap::{Analyzer, Builder};
use support::project;

/// One recording: a stack that met servers with a defect each, or two.
pub(super) struct Recording {
    /// The file's name without its extension.
    pub(super) file: String,
    truth: toml::Table,
}

/// One connection, and what is true of it.
pub(super) struct Connection {
    /// The client's address, which no other connection has.
    pub(super) client: String,
    /// The defects of what it was sent.
    pub(super) defects: Vec<String>,
    /// The one that the stack refuses; `None` where it accepted all.
    pub(super) refused: Option<String>,
    /// What the stack did, as the data write it.
    pub(super) answer: String,
}

/// All of them, by name.
pub(super) fn recordings() -> Vec<Recording> {
    let folder = std::fs::read_dir(project("tests/stacks")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let mut captures: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "pcapng")).collect();
    captures.sort();
    let read = |path: PathBuf| {
        let truth = std::fs::read_to_string(path.with_extension("toml")).unwrap().parse().unwrap();
        Recording { file: path.file_stem().unwrap().to_string_lossy().into_owned(), truth }
    };
    captures.into_iter().map(read).collect()
}

impl Recording {
    fn word(&self, key: &str) -> &str {
        self.truth[key].as_str().unwrap()
    }

    /// The stack's name in the data.
    pub(super) fn stack(&self) -> &str {
        self.word("stack")
    }

    pub(super) fn name(&self) -> &str {
        self.word("name")
    }

    pub(super) fn version(&self) -> &str {
        self.word("version")
    }

    /// Whether the stack was the server.
    pub(super) fn is_of_server(&self) -> bool {
        self.truth.contains_key("side")
    }

    pub(super) fn connections(&self) -> Vec<Connection> {
        let each = |connection: &toml::Value| {
            let text = |key: &str| connection.get(key).map(|value| value.as_str().unwrap().to_owned());
            let list = connection["defects"].as_array().unwrap();
            let defects: Vec<_> = list.iter().map(|defect| defect.as_str().unwrap().to_owned()).collect();
            let answer = text("answer").unwrap();
            let refused = text("refused").unwrap_or_else(|| defects[0].clone());
            let refused = Some(refused).filter(|_| answer != "accepts");
            Connection { client: text("client").unwrap(), defects, refused, answer }
        };
        self.truth["connection"].as_array().unwrap().iter().map(each).collect()
    }

    /// An analyzer for devices that trust the anchors of the recording, and nothing else.
    pub(super) fn analyzer(&self) -> Builder {
        let roots = format!("tests/stacks/{}.pem", self.file);
        let bytes = std::fs::read(project(&roots)).unwrap();
        Analyzer::builder().profile(None).root(&roots, bytes.as_slice()).all_handshakes(true).all_devices(true)
    }

    pub(super) fn report(&self, builder: Builder) -> Report {
        let path = format!("tests/stacks/{}.pcapng", self.file);
        let bytes = std::fs::read(project(&path)).unwrap();
        builder.build().unwrap().analyze(bytes.as_slice(), &path).unwrap()
    }
}
