//! Which recordings may be in one capture, so that what is true of each device stays true.
//!
//! In: the samples, and a source of numbers that a seed fixes. Out: recordings that go together, each with where its
//! hosts move to. Left to others: disturbing and mixing them.
//!
//! A verdict may rest on what other connections of the capture show, so mixtures follow these rules:
//! - No recording appears twice in a capture: a handshake with the same randoms is the same one, seen at two taps.
//! - Certificates that other devices were sent or fetched prove and name what a device lacks. A recording is therefore
//!   mixed only with those of other companies, by their certificates and by the roots that the options name, or, at the
//!   same server, with those where knowing more cannot change the cause: see [`may_share_a_server`].
//! - The times of a recording are shifted only where no certificate's validity begins or ends in between, and where
//!   nothing tells the device's own clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::LazyLock;

use chaingap::capture::Timestamp;
use chaingap::expectations::Options;
use chaingap::report::{Severity, VerdictStatus};
use chaingap::trust::read_certificates;

use super::frame::Frame;
use super::mix::{self, Random};
use super::readdress::{Moves, Who};
use super::samples::{Recording, SAMPLES, Sample};
use support::expectations::{ExpectedDevice, contents};

/// A recording in a mixture.
pub(crate) struct Part {
    pub(crate) sample: &'static Sample,
    recording: &'static Recording,
    /// Where its hosts are moved; `None` leaves them where they were recorded.
    moves: Option<Moves>,
}

impl Part {
    /// The first capture of a sample, as recorded.
    pub(crate) fn of(sample: &'static Sample) -> Self {
        Self { sample, recording: &sample.captures[0], moves: None }
    }

    /// The recording, with its hosts moved.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let frames = &self.recording.frames;
        self.moves.as_ref().map_or_else(|| frames.clone(), |moves| moves.apply(frames))
    }

    /// A device's id in the mixture.
    pub(crate) fn device(&self, recorded: &str) -> String {
        match (&self.moves, recorded.parse()) {
            (Some(moves), Ok(address)) => moves.address(address).to_string(),
            _ => recorded.to_owned(),
        }
    }
}

/// Organizations, or domains where a name has none, of the certificates of a sample.
struct Companies {
    /// The companies in its captures.
    seen: BTreeSet<String>,
    /// The companies in its captures and in the files of its options.
    known: BTreeSet<String>,
}

static COMPANIES: LazyLock<BTreeMap<&'static str, Companies>> =
    LazyLock::new(|| SAMPLES.iter().map(|sample| (sample.name.as_str(), companies(sample))).collect());

fn companies(sample: &Sample) -> Companies {
    let mut seen = BTreeSet::new();
    for certificate in sample.before.certificates.values() {
        seen.insert(company(&certificate.issuer));
        seen.extend(certificate.ca.then(|| company(&certificate.subject)));
    }
    let Options { roots, installed, bundle, .. } = &sample.options;
    let files = roots.iter().chain(installed).chain(bundle).map(contents);
    let supplied = files.flat_map(|(_, bytes)| read_certificates(&bytes).certificates);
    let mut known = seen.clone();
    known.extend(supplied.flat_map(|c| [company(&c.subject().to_string()), company(&c.issuer().to_string())]));
    Companies { seen, known }
}

/// The organization of a name as RFC 4514 writes it, else its domain, else all of it.
fn company(name: &str) -> String {
    let organization = name.split(',').find(|part| part.starts_with("O="));
    let domain: Vec<_> = name.split(',').filter(|part| part.starts_with("DC=")).collect();
    match organization {
        Some(organization) => organization.to_owned(),
        None if domain.is_empty() => name.to_owned(),
        None => domain.join(","),
    }
}

/// Whether the expectation says what is true of any device.
pub(crate) fn has_truth(sample: &Sample) -> bool {
    !sample.devices.is_empty()
}

/// Whether a recording can be mixed with others: it is one capture, and its devices are known by their addresses.
fn is_single(sample: &Sample) -> bool {
    let by_address = |expected: &ExpectedDevice| expected.device.parse::<IpAddr>().is_ok();
    has_truth(sample) && sample.captures.len() == 1 && sample.devices.iter().all(by_address)
}

/// Whether phones at the same server, with certificates of the same companies, leave true what is true of this sample.
///
/// Knowing more never changes a cause, with these exceptions. What is undecided for want of a certificate, or of a
/// version that the server accepts, may be decided by what other phones show. Where an unknown root was inferred,
/// another phone may show the CA's other certificate, below a root that the phone has. Where a certificate has the
/// issuer's name and another key, another phone may show the right one: then that one is missing, unless the phone's
/// alert says that a signature was wrong (decrypt_error).
pub(crate) fn may_share_a_server(sample: &Sample) -> bool {
    let mut alerts = sample.before.devices.iter().flat_map(|device| &device.handshakes).flat_map(|h| &h.alerts);
    let wrong_signature = alerts.any(|alert| alert.code == 51);
    let firm = |expected: &ExpectedDevice| {
        let errors = expected.findings.iter().filter(|finding| finding.severity == Severity::Error);
        expected.verdict != VerdictStatus::Undecided
            && errors.map(|error| error.name.as_str()).all(|name| match name {
                "untrusted-root" => false,
                "issuer-key-mismatch" => wrong_signature,
                _ => true,
            })
    };
    is_single(sample) && sample.devices.iter().all(firm)
}

/// Whether the times of a sample's capture may be shifted so that it ends with another recording.
fn may_move_to(sample: &Sample, other: &[Frame]) -> bool {
    let frames = &sample.captures[0].frames;
    let shift = mix::end(other) - mix::end(frames);
    let times = || frames.iter().map(|frame| frame.time);
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let passed = first.min(first + shift)..=last.max(last + shift);
    let bounds = sample.before.certificates.values().flat_map(|c| [&c.not_before, &c.not_after]).flatten();
    let mut bounds = bounds.filter_map(|text| Timestamp::parse_rfc3339(text)).map(Timestamp::nanos);
    let tells_time = sample.before.devices.iter().any(|device| device.clock.is_some());
    !tells_time && !bounds.any(|bound| passed.contains(&bound))
}

/// The options for a capture with these recordings: those of the first, with the certificates and key logs of all.
pub(crate) fn options(parts: &[Part]) -> Options {
    let mut all = parts[0].sample.options.clone();
    for part in parts {
        let Options { roots, installed, bundle, .. } = &part.sample.options;
        all.keylog = all.keylog.or_else(|| part.sample.options.keylog.clone());
        for (all, own) in [(&mut all.roots, roots), (&mut all.installed, installed), (&mut all.bundle, bundle)] {
            let new: Vec<_> = own.iter().filter(|path| !all.contains(path)).cloned().collect();
            all.extend(new);
        }
    }
    all
}

/// The sample's recording with those of up to three other companies, whatever they show.
pub(crate) fn other_traffic(sample: &'static Sample, random: &mut Random) -> Vec<Part> {
    let known = &COMPANIES[sample.name.as_str()].known;
    let foreign = |other: &&Sample| known.is_disjoint(&COMPANIES[other.name.as_str()].seen);
    let others = SAMPLES.iter().filter(foreign).flat_map(|other| other.captures.iter().map(move |r| (other, r)));
    gather(sample, others.collect(), 3, true, |_, _| true, random)
}

/// The sample's phone among up to four others at the same server, judged by the same options.
pub(crate) fn phones_of_this_server(sample: &'static Sample, random: &mut Random) -> Vec<Part> {
    let own = &sample.captures[0].frames;
    let fits =
        |other: &&Sample| other.options == sample.options && may_share_a_server(other) && may_move_to(other, own);
    let others = SAMPLES.iter().filter(fits).map(|other| (other, &other.captures[0]));
    gather(sample, others.collect(), 4, false, |_, _| true, random)
}

/// The sample's phone among up to three others with other servers and certificates, judged by the options of all.
pub(crate) fn other_phones(sample: &'static Sample, random: &mut Random) -> Vec<Part> {
    let own = &sample.captures[0].frames;
    let same = |options: &Options| {
        let Options { profile, device, sign_in, at, .. } = options.clone();
        (profile, device, sign_in, at)
    };
    let fits =
        |other: &&Sample| is_single(other) && same(&other.options) == same(&sample.options) && may_move_to(other, own);
    let others = SAMPLES.iter().filter(fits).map(|other| (other, &other.captures[0]));
    let apart = |parts: &[Part], other: &Sample| {
        let known = |sample: &Sample| &COMPANIES[sample.name.as_str()].known;
        // There is only one key log. Its secrets fit the handshakes that they were written for and no others.
        let mut keylogs = parts.iter().filter_map(|part| part.sample.options.keylog.as_ref());
        let one_keylog = other.options.keylog.is_none() || keylogs.next().is_none();
        one_keylog && parts.iter().all(|part| known(part.sample).is_disjoint(known(other)))
    };
    gather(sample, others.collect(), 3, true, apart, random)
}

/// The sample's recording, and up to `most` others that `fit` beside those chosen already. Of the others all hosts are
/// moved, or only the phones, so that they use the same server.
fn gather(
    sample: &'static Sample,
    mut others: Vec<(&'static Sample, &'static Recording)>,
    most: usize,
    server_too: bool,
    fit: impl Fn(&[Part], &Sample) -> bool,
    random: &mut Random,
) -> Vec<Part> {
    let mut parts = vec![Part::of(sample)];
    let wanted = 2 + random.below(most);
    while parts.len() < wanted && !others.is_empty() {
        let (other, recording) = others.swap_remove(random.below(others.len()));
        if parts.iter().any(|part| part.recording.name == recording.name) || !fit(&parts, other) {
            continue;
        }
        let place = u8::try_from(parts.len()).unwrap();
        let phones: Vec<IpAddr> = other.devices.iter().filter_map(|expected| expected.device.parse().ok()).collect();
        let who = if server_too { Who::Everybody } else { Who::Only(&phones) };
        let moves = Some(Moves::to(place, &recording.frames, who));
        parts.push(Part { sample: other, recording, moves });
    }
    parts
}
