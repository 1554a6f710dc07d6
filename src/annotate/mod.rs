//! A report's evidence, put back onto its capture: the frames that matter, with comments, for Wireshark.
//!
//! In: a report, and one of its captures once more. Out: a pcapng file. Bounded: [`PER_CONNECTION`] frames of one
//! connection and [`MOST_BYTES`] in all, beside the frames that the evidence cites. Left to others: files.

mod credentials;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use crate::analyzer::Error;
use crate::capture::{Beside, CaptureReader, Copied, Frame, excerpt};
use crate::decode::{Datagram, Decoder, Packet, Segment};
use crate::limits::Limits;
use crate::protocol::dns::{self, RecordData};
use crate::render::printable;
use crate::report::{Device, Report};

use credentials::Sent;

/// Frames of one connection: those of a handshake, and a while after it.
const PER_CONNECTION: usize = 256;
/// Bytes of frames that nothing cites.
const MOST_BYTES: usize = 64 << 20;
/// Names of one server.
const MOST_NAMES: usize = 16;

/// What may leave the house.
#[derive(Clone, Debug, Default)]
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
/// comment for each piece of evidence, and around them the connections and downloads in which they lie, and those and the
/// look-ups of the devices concerned.
/// `path` is the capture's path in the report.
///
/// # Errors
/// When the bytes are no capture, or reading them fails.
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

/// Gives every frame of a capture; returns the TLS key logs in it.
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

/// A segment in a frame that the evidence cites: the frame, and the segment's ends.
type Cited = (u64, SocketAddr, SocketAddr);

/// What to look for in a capture.
#[derive(Debug, Default)]
struct Wanted {
    /// What the evidence says, by frame.
    comments: BTreeMap<u64, Vec<String>>,
    /// Other frames of the story.
    frames: BTreeSet<u64>,
    /// Both ends of handshakes, and of what the evidence lies in.
    connections: BTreeSet<(SocketAddr, SocketAddr)>,
    /// Downloads: whose, from where, in which frames.
    downloads: BTreeMap<(IpAddr, SocketAddr), Vec<RangeInclusive<u64>>>,
    /// Addresses of servers, with the names that clients gave them.
    servers: BTreeMap<IpAddr, BTreeSet<String>>,
}

impl Wanted {
    fn of(report: &Report, path: &str) -> Self {
        let mut wanted = Self::default();
        let mut concerned = BTreeSet::new();
        for finding in &report.findings {
            for evidence in finding.evidence.iter().filter(|evidence| evidence.capture == path) {
                concerned.extend(finding.device.as_deref());
                if let Some(frame) = evidence.frame {
                    // Frames have other numbers in the excerpt.
                    let comment = format!("{} {}, frame {frame}: {}", finding.code, finding.name, evidence.what);
                    wanted.comments.entry(frame).or_default().push(printable(&comment));
                }
            }
        }
        let of_interest = |device: &&Device| concerned.is_empty() || concerned.contains(device.id.as_str());
        report.devices.iter().filter(of_interest).for_each(|device| wanted.story(device, path));
        wanted
    }

    /// The frames in which a device's story is told.
    fn story(&mut self, device: &Device, path: &str) {
        let events = device.events.iter().filter(|event| event.capture == path).filter_map(|event| event.frame);
        self.frames.extend(events);
        let recognized = device.recognized_by.iter().filter(|sign| sign.capture == path).map(|sign| sign.frame);
        self.frames.extend(recognized);
        for handshake in device.handshakes.iter().filter(|handshake| handshake.capture == path) {
            let ends = (socket(&handshake.client), socket(&handshake.server));
            let (Some(client), Some(server)) = ends else { continue };
            self.connections.insert((client, server));
            let names = self.servers.entry(server.ip()).or_default();
            names.extend(handshake.server_name.iter().filter(|name| is_host_name(name)).cloned());
        }
        let addresses: Vec<IpAddr> = device.addresses.iter().filter_map(|known| known.address.parse().ok()).collect();
        for fetch in device.fetches.iter().filter(|fetch| fetch.capture == path) {
            let Some(server) = socket(&fetch.server) else { continue };
            self.servers.entry(server.ip()).or_default();
            // Of a download that was never whole nobody knows the last frame.
            let frames = fetch.frame..=fetch.last_frame.unwrap_or(u64::MAX);
            for client in &addresses {
                self.downloads.entry((*client, server)).or_default().push(frames.clone());
            }
        }
    }

    /// The ends of a segment in a frame that the evidence cites.
    fn cite(&self, frame: &Frame<'_>, decoder: &mut Decoder, cited: &mut Vec<Cited>) {
        let number = frame.at.number;
        // Every frame is decoded, for fragments of a cited one may stand before it.
        decoder.decode(frame, &mut |packet| match packet {
            Packet::Tcp(segment) if self.comments.contains_key(&number) => {
                cited.push((number, segment.source, segment.destination));
            }
            _ => {}
        });
    }

    /// What the evidence lies in is wanted whole, whosever it is: another client's handshake may tell what is wrong with
    /// this one's, and one frame of it tells nothing (D-ANNOTATE-01).
    fn around(&mut self, report: &Report, path: &str, (number, source, destination): Cited) {
        let fetches = report.devices.iter().flat_map(|device| &device.fetches).filter(|fetch| fetch.capture == path);
        for fetch in fetches {
            let frames = fetch.frame..=fetch.last_frame.unwrap_or(fetch.frame);
            let (client, server) = match socket(&fetch.server) {
                Some(server) if server == source => (destination, source),
                Some(server) if server == destination => (source, destination),
                _ => continue,
            };
            if frames.contains(&number) {
                return self.downloads.entry((client.ip(), server)).or_default().push(frames);
            }
        }
        self.connections.insert((source, destination));
    }

    /// Whether a segment belongs to a handshake's connection, or to a download.
    fn has(&self, segment: &Segment<'_>) -> bool {
        let (from, to) = (segment.source, segment.destination);
        let of_download = |client: SocketAddr, server: SocketAddr| {
            let mut frames = self.downloads.get(&(client.ip(), server)).into_iter().flatten();
            frames.any(|frames| frames.contains(&segment.at.number))
        };
        self.connections.contains(&(from, to))
            || self.connections.contains(&(to, from))
            || of_download(from, to)
            || of_download(to, from)
    }
}

/// An endpoint of a report: address, colon, port, without brackets.
fn socket(endpoint: &str) -> Option<SocketAddr> {
    let (address, port) = endpoint.rsplit_once(':')?;
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

/// Whether a datagram or segment is of Kerberos (RFC 4120, section 7.2; D-ANNOTATE-04).
fn is_kerberos(source: SocketAddr, destination: SocketAddr) -> bool {
    source.port() == 88 || destination.port() == 88
}

/// Whether a name can stand in a table of hosts.
fn is_host_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= 255 && name.chars().all(fits)
}

/// What was found.
#[derive(Debug, Default)]
struct Chosen {
    frames: Vec<Copied>,
    /// Frames so far of each connection, whoever sent them.
    counts: BTreeMap<(SocketAddr, SocketAddr), usize>,
    bytes: usize,
    /// What was sent in each direction: frame, sequence number, bytes.
    requests: BTreeMap<(SocketAddr, SocketAddr), Vec<Sent>>,
    /// Frames of Kerberos: what is encrypted there with a password can be tried against guesses.
    kerberos: BTreeSet<u64>,
    /// Names that were resolved to addresses.
    resolved: BTreeMap<IpAddr, BTreeSet<String>>,
    /// Randoms of the ClientHellos, by which key logs name handshakes.
    randoms: BTreeSet<String>,
}

impl Chosen {
    fn take(&mut self, frame: &Frame<'_>, decoder: &mut Decoder, wanted: &Wanted) {
        let number = frame.at.number;
        let cited = wanted.comments.contains_key(&number);
        let mut matters = cited || wanted.frames.contains(&number);
        let (mut segments, mut kerberos) = (Vec::new(), false);
        decoder.decode(frame, &mut |packet| match packet {
            Packet::Tcp(segment) => {
                matters |= wanted.has(&segment) && self.is_early(&segment);
                kerberos |= is_kerberos(segment.source, segment.destination);
                if matters {
                    let sent = Sent { frame: number, sequence: segment.sequence, bytes: segment.payload.to_vec() };
                    segments.push(((segment.source, segment.destination), sent));
                }
            }
            Packet::Udp(datagram) => {
                kerberos |= is_kerberos(datagram.source, datagram.destination);
                self.resolve(&datagram, wanted);
            }
            Packet::Binding(_) | Packet::Link(_) => {}
        });
        if !matters || (!cited && self.bytes + frame.data.len() > MOST_BYTES) {
            return;
        }
        if kerberos {
            self.kerberos.insert(number);
        }
        self.bytes += frame.data.len();
        self.frames.push(Copied::of(frame));
        for (ends, sent) in segments {
            self.randoms.extend(client_random(&sent.bytes));
            self.requests.entry(ends).or_default().push(sent);
        }
    }

    /// Whether a segment is among the first of its connection.
    fn is_early(&mut self, segment: &Segment<'_>) -> bool {
        let ends = (segment.source.min(segment.destination), segment.source.max(segment.destination));
        let count = self.counts.entry(ends).or_default();
        *count += 1;
        *count <= PER_CONNECTION
    }

    /// Names that an answer gives to a server of interest.
    fn resolve(&mut self, datagram: &Datagram<'_>, wanted: &Wanted) {
        if datagram.source.port() != 53 {
            return;
        }
        let Some(dns) = dns::parse(datagram.payload).filter(|dns| dns.response) else { return };
        for answer in dns.answers.iter().chain(&dns.additional) {
            if let RecordData::A(address) = answer.data
                && wanted.servers.contains_key(&address)
                && is_host_name(&answer.name)
            {
                let names = self.resolved.entry(address).or_default();
                if names.len() < MOST_NAMES {
                    names.insert(answer.name.clone());
                }
            }
        }
    }

    /// The names of the servers: as resolved, and as the clients' hellos say.
    fn names(&self, wanted: &Wanted) -> BTreeMap<IpAddr, BTreeSet<String>> {
        let mut names = self.resolved.clone();
        for (address, given) in wanted.servers.iter().filter(|(_, given)| !given.is_empty()) {
            names.entry(*address).or_default().extend(given.iter().cloned());
        }
        names
    }
}

/// The random of a ClientHello at the start of a record (RFC 5246, 7.4.1.2), lower-case hexadecimal.
fn client_random(payload: &[u8]) -> Option<String> {
    let (is_hello, random) = (matches!(payload, [22, 3, _, _, _, 1, ..]), payload.get(11..43)?);
    is_hello.then(|| random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The lines of a key log whose second word is one of these randoms (D-ANNOTATE-03).
fn own_lines(key_log: &[u8], randoms: &BTreeSet<String>) -> Vec<u8> {
    let mut out = Vec::new();
    for line in String::from_utf8_lossy(key_log).lines() {
        let random = line.split_whitespace().nth(1).map(str::to_ascii_lowercase);
        if random.is_some_and(|random| randoms.contains(&random)) {
            out.extend(line.bytes());
            out.push(b'\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_reports_read_back() {
        assert_eq!(socket("192.0.2.1:443"), Some("192.0.2.1:443".parse().unwrap()));
        assert_eq!(socket("2001:db8::1:443"), Some("[2001:db8::1]:443".parse().unwrap()));
        assert_eq!(socket("nonsense"), None);
    }

    #[test]
    fn only_the_secrets_of_handshakes_that_go_along() {
        let mut hello = vec![22, 3, 1, 0, 50, 1, 0, 0, 46, 3, 3];
        hello.extend([0xab; 32]);
        let randoms = BTreeSet::from([client_random(&hello).unwrap()]);
        let own = format!("CLIENT_RANDOM {} 0011\n", "AB".repeat(32));
        let other = format!("CLIENT_RANDOM {} 2233\n", "cd".repeat(32));
        assert_eq!(own_lines(format!("# log\n{other}{own}").as_bytes(), &randoms), own.as_bytes());
        assert_eq!(client_random(&hello[1..]), None);
    }
}
