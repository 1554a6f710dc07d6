//! The library's front door.
//!
//! In: what the user trusts, and the bytes of captures, pulled from a reader or pushed. Out: a [`Report`]. Bounded: by
//! [`Limits`]. Left to others: files, threads, clock, environment.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use crate::capture::{Broken, CaptureError, CaptureSummary, Timestamp};
use crate::diagnosis::{ProfileChoice, Supplied, Trust, devices, diagnose, preflight};
use crate::evidence::{Device, Evidence, SignInMethod};
use crate::limits::Limits;
use crate::pipeline::Pipeline;
use crate::protocol::tls::KeyLog;
use crate::report::{self, Material, PreflightQuestion, PreflightReport, Report};
use crate::trust::{Profile, read_certificates};
use crate::x509::Certificate;

/// Why a capture could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no capture.
    #[error("offset 0: {0}")]
    Capture(#[from] CaptureError),
    /// Reading it failed.
    #[error("offset {offset}: {source}")]
    Read {
        /// Bytes read before.
        offset: u64,
        /// The cause.
        source: std::io::Error,
    },
}

/// Which devices to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceFilter {
    /// Those within a network, by its address and prefix length in bits.
    Network(IpAddr, u8),
    /// The one with this network card.
    Mac([u8; 6]),
}

impl FromStr for DeviceFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no IP address, network (192.0.2.0/24) or MAC address");
        let octets: Vec<_> = text.split([':', '-']).map(|part| u8::from_str_radix(part, 16)).collect();
        if text.len() == 17 && octets.len() == 6 {
            let octets: Result<Vec<u8>, _> = octets.into_iter().collect();
            return octets.ok().and_then(|octets| octets.try_into().ok()).map(Self::Mac).ok_or_else(bad);
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(full), |prefix| prefix.parse().map_err(|_| bad()))?;
        if prefix > full { Err(bad()) } else { Ok(Self::Network(address, prefix)) }
    }
}

impl DeviceFilter {
    fn admits(&self, device: &Device) -> bool {
        match *self {
            Self::Mac(mac) => device.mac.is_some_and(|(known, _)| known == mac),
            Self::Network(network, prefix) => {
                device.addresses.iter().any(|(address, ..)| is_within(*address, network, prefix))
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32_u32.saturating_sub(u32::from(prefix));
            address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128_u32.saturating_sub(u32::from(prefix));
            address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

/// What to judge by. Made by [`Analyzer::builder`], good for any number of investigations.
#[derive(Clone, Debug, Default)]
pub struct Analyzer {
    trust: Trust,
    limits: Limits,
    device: Option<(String, DeviceFilter)>,
    options: report::Options,
    all_handshakes: bool,
    continuous: bool,
    keys: Arc<KeyLog>,
}

/// Collects what to judge by.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    analyzer: Analyzer,
    certificates: usize,
    problems: Vec<String>,
}

impl Analyzer {
    /// Starts with `--profile auto` and nothing else.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Analyzes one capture.
    ///
    /// # Errors
    /// When the bytes are no capture, or reading them fails before anything was understood.
    pub fn analyze(&self, read: impl Read, name: &str) -> Result<Report, Error> {
        let mut investigation = self.investigate();
        investigation.read(read, name)?;
        Ok(investigation.report())
    }

    /// Starts an investigation of several captures.
    pub fn investigate(&self) -> Investigation<'_> {
        Investigation {
            analyzer: self,
            evidence: Evidence::new(self.evidence_limits(), self.continuous),
            captures: Vec::new(),
            open: None,
            flows: 0,
            flows_dropped: 0,
        }
    }

    /// Judges a chain that a server is to send, leaf first, without a capture: for each profile, would it be trusted?
    /// Validity is judged at `now`, or at the instant given to the builder. The analyzer's own profile is not used.
    pub fn preflight(
        &self,
        path: &str,
        chain: Vec<Certificate>,
        host: Option<&str>,
        profiles: &[Profile],
        now: Timestamp,
    ) -> PreflightReport {
        let sent: Vec<_> = chain.into_iter().map(Arc::new).collect();
        let at = self.trust.at.unwrap_or(now);
        let judge = |profile| preflight(&sent, host, profile, &self.trust, at, self.limits.path_steps);
        let answers: Vec<_> = profiles.iter().map(judge).collect();
        let question = PreflightQuestion { path, host, at, sent: &sent, trust: &self.trust, options: &self.options };
        question.report(&answers)
    }

    fn evidence_limits(&self) -> Limits {
        let mut limits = self.limits.clone();
        if self.all_handshakes {
            (limits.handshakes_per_device, limits.handshakes) = (usize::MAX / 8, usize::MAX);
        }
        limits
    }

    /// Whether a device is one that was asked for.
    fn admits(&self, device: &Device) -> bool {
        self.device.as_ref().is_none_or(|(_, filter)| filter.admits(device))
    }
}

impl Builder {
    /// Holds every device to this profile instead of recognizing it; `None` is a device with no anchors.
    pub fn profile(mut self, profile: Option<Profile>) -> Self {
        self.analyzer.trust.profile = match profile {
            Some(profile) => ProfileChoice::Given(Box::new(profile)),
            None => ProfileChoice::None,
        };
        self
    }

    /// Adds anchors that the device trusts: PEM, DER or PKCS#7.
    pub fn root(mut self, file: &str, bytes: &[u8]) -> Self {
        let supplied = self.supplied(file, bytes, |trust| &trust.roots);
        for other in supplied.iter().filter(|supplied| !supplied.is_root()) {
            let name = other.certificate.subject().short();
            self.problems.push(format!(
                "{file}: \"{name}\" is no root, and not taken for one that the device trusts; name it as installed if the device holds it"
            ));
        }
        self.analyzer.trust.roots.extend(supplied);
        self.analyzer.options.roots.push(file.into());
        self
    }

    /// Adds intermediates that the device is known to hold.
    pub fn installed(mut self, file: &str, bytes: &[u8]) -> Self {
        let supplied = self.supplied(file, bytes, |trust| &trust.installed);
        self.analyzer.trust.installed.extend(supplied);
        self.analyzer.options.installed.push(file.into());
        self
    }

    /// Adds certificates that exist in the world: they prove and name what is missing, and are never the device's.
    pub fn bundle(mut self, file: &str, bytes: &[u8]) -> Self {
        let supplied = self.supplied(file, bytes, |trust| &trust.bundle);
        self.analyzer.trust.bundle.extend(supplied);
        self.analyzer.options.bundle.push(file.into());
        self
    }

    /// Adds the secrets of a key log (SSLKEYLOGFILE), so that what they open is read. Where a capture holds secrets of
    /// its own, both count.
    pub fn keylog(mut self, file: &str, bytes: &[u8]) -> Self {
        let lines = Arc::make_mut(&mut self.analyzer.keys).add(bytes);
        if lines.secrets == 0 {
            self.problems.push(format!("{file}: no secret of a key log in it"));
        } else if lines.unread > 0 {
            let count = lines.unread;
            self.problems.push(format!("{file}: {count} of its lines are none of a key log, or were too many"));
        }
        self.analyzer.options.keylog.push(file.into());
        self
    }

    /// Judges validity at this instant instead of the time of each handshake.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.analyzer.trust.at = Some(at);
        self
    }

    /// Says how the devices signed in, instead of telling it from the capture.
    pub fn sign_in(mut self, method: SignInMethod) -> Self {
        self.analyzer.trust.sign_in = Some(method);
        self
    }

    /// Looks at some devices only.
    pub fn device(mut self, text: &str, filter: DeviceFilter) -> Self {
        self.analyzer.device = Some((text.into(), filter));
        self
    }

    /// Caps.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.analyzer.limits = limits;
        self
    }

    /// Shows every handshake in full instead of 64 per device.
    pub fn all_handshakes(mut self, all: bool) -> Self {
        self.analyzer.all_handshakes = all;
        self
    }

    /// Takes the captures as one recording that was rotated over several files, in their order.
    pub fn continuous(mut self, continuous: bool) -> Self {
        self.analyzer.continuous = continuous;
        self
    }

    /// What could not be read of the files given so far: one line each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Ready.
    pub fn build(mut self) -> Analyzer {
        let trust = &self.analyzer.trust;
        self.analyzer.options.profile = match &trust.profile {
            ProfileChoice::Auto => "auto".into(),
            ProfileChoice::None => "none".into(),
            ProfileChoice::Given(profile) => profile.name.clone(),
        };
        self.analyzer.options.sign_in = match trust.sign_in {
            None | Some(SignInMethod::Unknown) => "auto".into(),
            Some(SignInMethod::Pin) => "pin".into(),
            Some(SignInMethod::UsbTethered) => "usb".into(),
        };
        self.analyzer.options.at = trust.at.map(|at| at.to_string());
        self.analyzer.options.device = self.analyzer.device.as_ref().map(|(text, _)| text.clone());
        self.analyzer
    }

    /// Certificates read so far, those that were there already among them.
    pub fn certificates(&self) -> usize {
        self.certificates
    }

    /// The certificates of a file that are not in the store yet. What is skipped is a problem.
    fn supplied(&mut self, file: &str, bytes: &[u8], store: fn(&Trust) -> &Vec<Supplied>) -> Vec<Supplied> {
        let contents = read_certificates(bytes);
        self.certificates += contents.certificates.len();
        if contents.certificates.is_empty() && contents.problems.is_empty() {
            self.problems.push(format!("{file}: no certificate in it"));
        }
        self.problems.extend(contents.problems.iter().map(|problem| format!("{file}: {problem}")));
        let mut fresh = Vec::new();
        for certificate in contents.certificates {
            let known = store(&self.analyzer.trust).iter().find(|s| s.certificate.sha256() == certificate.sha256());
            match known {
                Some(known) => {
                    let (name, first) = (certificate.subject().short(), &known.file);
                    self.problems.push(format!("{file}: \"{name}\" is in {first} already"));
                }
                None => fresh.push(Supplied { certificate: Arc::new(certificate), file: file.to_owned() }),
            }
        }
        fresh
    }
}

/// Several captures, judged together: what one shows proves what another lacks.
#[derive(Debug)]
pub struct Investigation<'a> {
    analyzer: &'a Analyzer,
    evidence: Evidence,
    captures: Vec<(String, CaptureSummary)>,
    /// A recording that the next capture continues.
    open: Option<Pipeline>,
    flows: u64,
    flows_dropped: u64,
}

impl<'a> Investigation<'a> {
    /// Reads a capture to its end. A capture that breaks off keeps what was understood of it, and says so.
    ///
    /// # Errors
    /// When the bytes are no capture, or reading fails before the first byte was understood; the capture is then listed
    /// in the report with that problem, and the others are unharmed.
    pub fn read(&mut self, mut read: impl Read, name: &str) -> Result<(), Error> {
        let mut run = self.start(name);
        loop {
            let count = match read.read(run.space()) {
                Ok(0) => return run.finish(),
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return run.broken_off(error),
            };
            run.advance(count)?;
        }
    }

    /// As [`read`](Self::read), with a second thread that reads, decompresses and finds the packets while this one looks
    /// into those before. The report is the same. Worth it for large captures where a processor is free.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_ahead(&mut self, read: impl Read + Send, name: &str) -> Result<(), Error> {
        let mut run = self.start(name);
        let Some(pipeline) = &mut run.pipeline else { return Ok(()) };
        let (bytes, ended) = pipeline.read_ahead(read, &mut run.investigation.evidence);
        run.bytes = bytes;
        match ended {
            Ok(()) => run.finish(),
            Err(Broken::Read(error)) => run.broken_off(error),
            Err(Broken::Capture(error)) => Err(run.no_capture(error)),
        }
    }

    /// Starts a capture whose bytes will be pushed.
    pub fn start(&mut self, name: &str) -> CaptureRun<'_, 'a> {
        let index = u32::try_from(self.captures.len()).unwrap_or(u32::MAX);
        self.captures.push((name.to_owned(), CaptureSummary::default()));
        let pipeline = match self.open.take() {
            Some(mut open) => {
                open.continue_with(index);
                open
            }
            None => Pipeline::new(index, self.analyzer.limits.clone(), Arc::clone(&self.analyzer.keys)),
        };
        CaptureRun { investigation: self, pipeline: Some(pipeline), bytes: 0 }
    }

    /// A capture is over, and unless another may continue it, so is its recording.
    fn close(&mut self, pipeline: Pipeline) {
        if self.analyzer.continuous {
            self.open = Some(pipeline);
        } else {
            self.end_recording(pipeline);
        }
    }

    fn end_recording(&mut self, pipeline: Pipeline) {
        let finished = pipeline.finish(&mut self.evidence);
        self.flows += finished.flows;
        self.flows_dropped += finished.flows_dropped;
        if let Some((_, summary)) = self.captures.last_mut() {
            summary.problems.extend(finished.problems);
        }
    }

    /// Lists a capture that could not be opened, and gives the line that says so.
    pub fn unopened(&mut self, name: &str, error: &std::io::Error) -> String {
        let problem = error.to_string();
        let summary = CaptureSummary { problems: vec![problem.clone()], ..CaptureSummary::default() };
        self.captures.push((name.to_owned(), summary));
        problem
    }

    /// Packets read of the captures of this name.
    pub fn packets_of(&self, name: &str) -> u64 {
        self.captures.iter().filter(|(known, _)| known == name).map(|(_, summary)| summary.packets).sum()
    }

    /// Addresses of the devices that [`Builder::device`] keeps out of the report.
    pub fn left_out(&self) -> BTreeSet<IpAddr> {
        let devices = devices(&self.evidence).into_iter();
        devices.filter(|(_, device)| !self.analyzer.admits(device)).map(|(_, device)| device.address).collect()
    }

    /// Judges everything read so far. A recording that another capture could have continued is over by that.
    pub fn report(&mut self) -> Report {
        if let Some(open) = self.open.take() {
            self.end_recording(open);
        }
        self.evidence.join_taps();
        let admits = |device: &Device| self.analyzer.admits(device);
        let summaries: Vec<_> = self.captures.iter().map(|(_, summary)| summary.clone()).collect();
        let budget = self.analyzer.limits.path_steps;
        let diagnosis = diagnose(&self.evidence, &summaries, &self.analyzer.trust, &admits, budget);
        report::build(&Material {
            captures: &self.captures,
            evidence: &self.evidence,
            diagnosis: &diagnosis,
            trust: &self.analyzer.trust,
            options: self.analyzer.options.clone(),
            flows: self.flows,
            flows_dropped: self.flows_dropped,
            all_handshakes: self.analyzer.all_handshakes,
        })
    }
}

/// One capture under way.
pub struct CaptureRun<'i, 'a> {
    investigation: &'i mut Investigation<'a>,
    pipeline: Option<Pipeline>,
    bytes: u64,
}

impl fmt::Debug for CaptureRun<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureRun").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl CaptureRun<'_, '_> {
    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// When they are no capture.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let space = self.space();
            let count = space.len().min(bytes.len());
            let (now, later) = bytes.split_at(count);
            if let Some(space) = space.get_mut(..count) {
                space.copy_from_slice(now);
            }
            self.advance(count)?;
            bytes = later;
        }
        Ok(())
    }

    /// The file is over.
    ///
    /// # Errors
    /// When it held no capture.
    pub fn finish(mut self) -> Result<(), Error> {
        let Some(mut pipeline) = self.pipeline.take() else { return Ok(()) };
        let read = pipeline.finish_capture(&mut self.investigation.evidence);
        let result = match read {
            Ok(read) => {
                if let Some((_, summary)) = self.investigation.captures.last_mut() {
                    *summary = read;
                }
                Ok(())
            }
            Err(error) => Err(self.unreadable(error)),
        };
        self.investigation.close(pipeline);
        result
    }

    fn space(&mut self) -> &mut [u8] {
        self.pipeline.as_mut().map(Pipeline::space).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) -> Result<(), Error> {
        self.bytes += u64::try_from(count).unwrap_or_default();
        let Some(pipeline) = &mut self.pipeline else { return Ok(()) };
        pipeline.advance(count, &mut self.investigation.evidence).map_err(|error| self.no_capture(error))
    }

    fn no_capture(&mut self, error: CaptureError) -> Error {
        if let Some(pipeline) = self.pipeline.take() {
            self.investigation.close(pipeline);
        }
        self.unreadable(error)
    }

    /// Reading failed: what came before counts, if anything did.
    fn broken_off(mut self, source: std::io::Error) -> Result<(), Error> {
        let offset = self.bytes;
        let problem = format!("offset {offset}: {source}; nothing after it could be read");
        let mut pipeline = self.pipeline.take();
        let read = pipeline.as_mut().and_then(|p| p.finish_capture(&mut self.investigation.evidence).ok());
        if let Some((_, summary)) = self.investigation.captures.last_mut() {
            *summary = read.filter(|_| offset > 0).unwrap_or_default();
            summary.problems.push(problem);
        }
        if let Some(pipeline) = pipeline {
            self.investigation.close(pipeline);
        }
        Err(Error::Read { offset, source })
    }

    fn unreadable(&mut self, error: CaptureError) -> Error {
        if let Some((_, summary)) = self.investigation.captures.last_mut() {
            summary.problems.push(format!("offset 0: {error}"));
        }
        Error::Capture(error)
    }
}
