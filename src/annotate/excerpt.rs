//! In: a report, and one of its captures. Out: an excerpt of the capture, with the evidence as comments. Bounded: by
//! what is chosen. Left to others: what is wanted, and what may be passed on.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};

use super::chosen::Chosen;
use super::credentials;
use super::key_log::own_lines;
use super::wanted::Wanted;
use crate::analyzer::Error;
use crate::capture::{Beside, CaptureReader, Frame, excerpt};
use crate::decode::Decoder;
use crate::limits::Limits;
use crate::render::printable;
use crate::report::Report;

/// What an excerpt may contain.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AnnotateOptions {
    /// Requests that carry credentials in clear go along.
    pub with_credentials: bool,
    /// TLS secrets of the handshakes in the output go along: those that the capture holds, and those of `key_log`.
    pub embed_secrets: bool,
    /// A TLS key log.
    pub key_log: Vec<u8>,
}

/// An annotated excerpt of a capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Annotated {
    /// The pcapng file.
    pub pcapng: Vec<u8>,
    /// How many frames are in it.
    pub frames: usize,
    /// How many comments are on them.
    pub comments: usize,
    /// Numbers of the frames that were left out because they carry credentials.
    pub withheld: Vec<u64>,
}

/// The frames of a capture that matter to a report, in the order of the file: those that its findings cite, each with a
/// comment for each piece of evidence, the connections and fetches around them, and the connections, fetches and
/// lookups of the devices concerned. `path` is the capture's path in the report.
///
/// # Errors
/// If the bytes are not a capture, or reading them fails.
pub fn annotate(
    report: &Report,
    path: &str,
    source: &mut (impl Read + Seek),
    options: &AnnotateOptions,
) -> Result<Annotated, Error> {
    let mut wanted = Wanted::of(report, path);
    let mut cited = Vec::new();
    let mut decoder = Decoder::new(&Limits::default());
    read_frames(source, |frame| wanted.cite(frame, &mut decoder, &mut cited))?;
    cited.into_iter().for_each(|segment| wanted.around(report, path, segment));
    let mut chosen = Chosen::default();
    let mut decoder = Decoder::new(&Limits::default());
    let mut key_log = read_frames(source, |frame| chosen.take(frame, &mut decoder, &wanted))?;
    key_log.extend(&options.key_log);
    let mut withheld = BTreeSet::new();
    if !options.with_credentials {
        withheld = credentials::frames(&chosen.requests);
        withheld.append(&mut chosen.kerberos);
    }
    let mut beside = Beside {
        comments: vec![format!("chaingap {}: the evidence in {}", report.tool.version, printable(path))],
        names: chosen.names(&wanted),
        key_log: if options.embed_secrets { own_lines(&key_log, &chosen.randoms) } else { Vec::new() },
    };
    let mut frames = Vec::new();
    let mut comments = 0;
    for mut frame in chosen.frames {
        let number = frame.at.number;
        let said = wanted.comments.get(&number).cloned().unwrap_or_default();
        if withheld.contains(&number) {
            let about = |comment| format!("left out because it carries credentials: {comment}");
            beside.comments.extend(said.into_iter().map(about));
            continue;
        }
        comments += said.len();
        frame.comments = said;
        frames.push(frame);
    }
    let pcapng = excerpt(source, &frames, &beside).map_err(|source| Error::Read { offset: 0, source })?;
    let withheld = withheld.into_iter().collect();
    Ok(Annotated { pcapng, frames: frames.len(), comments, withheld })
}

/// Passes on every frame of a capture; returns the TLS key logs in it.
fn read_frames(source: &mut (impl Read + Seek), mut take: impl FnMut(&Frame<'_>)) -> Result<Vec<u8>, Error> {
    let (mut offset, mut key_log) = (0, Vec::new());
    let failed = |offset, source| Error::Read { offset, source };
    source.seek(SeekFrom::Start(0)).map_err(|error| failed(0, error))?;
    let mut reader = CaptureReader::new(0);
    loop {
        let count = match source.read(reader.space()) {
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(offset, error)),
        };
        offset += u64::try_from(count).unwrap_or_default();
        reader.commit(count);
        if count == 0 {
            reader.end();
        }
        while let Some(frame) = reader.next_frame()? {
            take(&frame);
        }
        for secrets in reader.take_secrets() {
            key_log.extend(secrets.0);
            key_log.push(b'\n');
        }
        if count == 0 {
            reader.finish()?;
            return Ok(key_log);
        }
    }
}
