//! In: the bytes of captures, pulled from a reader or pushed. Out: a [`Report`] over all of them. Bounded: by
//! [`Limits`](crate::limits::Limits).

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;

use super::settings::Analyzer;
use crate::capture::{Broken, CaptureError, CaptureSummary};
use crate::diagnosis::{Case, Census, Devices, Diagnosis, Effort, diagnose, survey};
use crate::evidence::Evidence;
use crate::pipeline::Pipeline;
use crate::report::{self, Affected, EveryDevice, Material, Report};

/// Why a capture could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a capture.
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

impl Analyzer {
    /// Analyzes one capture.
    ///
    /// # Errors
    /// If the bytes are not a capture, or reading them fails before anything was understood.
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
}

/// So few devices are all shown, so that each is judged in full and none twice.
const FEW: usize = 64;

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
    /// If the bytes are not a capture, or reading fails before the first byte was understood; the capture is then
    /// listed in the report with that problem, and the others are unharmed.
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

    /// As [`read`](Self::read), with a second thread that reads, decompresses and finds the packets while this one
    /// looks into those before. The report is the same. This pays for large captures if a processor is free. It is the only
    /// call of the library that starts a thread; the thread has ended when the call returns.
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

    /// Starts a capture whose bytes will be pushed, in pieces of any size. All work is done by the calls that push, on the
    /// caller's thread.
    ///
    /// ```
    /// # let root = std::fs::read("captures/pki/root.pem")?;
    /// let analyzer = chaingap::Analyzer::builder().root("root.pem", &root).build()?;
    /// let mut investigation = analyzer.investigate();
    /// for name in ["pin-sign-in.pcapng", "usb-sign-in.pcapng"] {
    ///     let bytes = std::fs::read(format!("captures/{name}"))?;
    ///     let mut run = investigation.start(name);
    ///     for piece in bytes.chunks(1_400) {
    ///         run.push(piece)?;
    ///     }
    ///     run.finish()?;
    /// }
    /// let report = investigation.report();
    /// // The phone in the first capture fetched the certificate that the phone in the second one lacks.
    /// let finding = report.findings.iter().find(|finding| finding.code == "CG001").expect("a certificate is missing");
    /// let missing = &finding.missing[0];
    /// assert_eq!(missing.subject, "CN=Northwind Issuing CA 1,O=Northwind");
    /// assert_eq!(missing.candidates[0].found_in[0].capture, "pin-sign-in.pcapng");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Ends a capture, and its recording too unless another capture may continue it.
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

    /// Ends the recording that another capture could have continued, and joins what was recorded twice.
    fn end(&mut self) {
        if let Some(open) = self.open.take() {
            self.end_recording(open);
        }
        self.evidence.join_interfaces();
        self.evidence.join_taps();
    }

    fn case(&self) -> Case<'_> {
        let (trust, budget) = (&self.analyzer.trust, self.analyzer.limits.path_steps);
        Case { evidence: &self.evidence, captures: &self.captures, trust, budget }
    }

    /// Lists a capture that could not be opened, and returns the line that says so.
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

    /// Addresses of the devices that the device filter keeps out of the report.
    pub fn left_out(&self) -> BTreeSet<IpAddr> {
        let devices = Devices::of(&self.evidence, &|device| !self.analyzer.admits(device));
        let held = devices.order.into_iter().filter_map(|index| self.evidence.devices.held(index));
        held.map(|device| device.address).collect()
    }

    /// Judges every device read so far, each kind of them once, and tells `census` of each. This ends a recording that
    /// another capture could have continued.
    #[doc(hidden)]
    pub fn survey(&mut self, census: &mut impl Census) -> Effort {
        self.end();
        self.evidence.rest_all();
        let devices = Devices::of(&self.evidence, &|device| self.analyzer.admits(device));
        survey(&self.case(), &devices, census)
    }

    /// Judges everything read so far. This ends a recording that another capture could have continued.
    pub fn report(&mut self) -> Report {
        self.report_with(&mut |_| {})
    }

    /// As [`report`](Self::report); `each` is told of every device that a fault affects, in the order of the devices, also
    /// of those that the report does not show.
    pub fn report_with(&mut self, each: &mut dyn FnMut(&Affected)) -> Report {
        self.end();
        let devices = Devices::of(&self.evidence, &|device| self.analyzer.admits(device));
        let all = self.analyzer.all_devices || devices.order.len() <= FEW;
        let mut census = self.census(all, each);
        let (mut chosen, mut effort) = (None, Effort::default());
        if !all {
            self.evidence.rest_all();
            effort = survey(&self.case(), &devices, &mut census);
            chosen = Some(census.shown());
        }
        let is_shown = |index: &usize| chosen.as_ref().is_none_or(|chosen| chosen.contains(index));
        let shown: Vec<usize> = devices.order.iter().copied().filter(is_shown).collect();
        for index in &shown {
            self.evidence.devices.open(*index);
        }
        let diagnosis = diagnose(&self.case(), &devices, &shown);
        for judged in diagnosis.devices.iter().filter(|_| all) {
            let findings = diagnosis.findings.get(judged.findings.clone()).unwrap_or_default();
            let device = self.evidence.devices.get(judged.device);
            device.into_iter().for_each(|device| drop(census.first(judged, device, findings)));
        }
        let material = Material { effort, all_devices: all, ..self.material(&diagnosis) };
        report::build(&material, census)
    }

    /// As [`report_with`](Self::report_with) for every device: none is held, each is judged and put into words while the
    /// result is serialized. `None` if there are so few devices that a report shows all of them anyway.
    pub fn every_device(&mut self, each: &mut dyn FnMut(&Affected)) -> Option<EveryDevice<'_>> {
        self.end();
        let devices = Devices::of(&self.evidence, &|device| self.analyzer.admits(device));
        if devices.order.len() <= FEW {
            return None;
        }
        self.evidence.rest_all();
        let mut census = self.census(true, each);
        survey(&self.case(), &devices, &mut census);
        let diagnosis = diagnose(&self.case(), &devices, &[]);
        let material = Material { all_devices: true, ..self.material(&diagnosis) };
        Some(EveryDevice::of(&material, self.case(), devices, census))
    }

    fn census<'e>(&self, keep_names: bool, each: &'e mut dyn FnMut(&Affected)) -> report::Census<'e> {
        let addresses = self.evidence.devices.glances().map(|glance| glance.address).collect();
        report::Census::of(&self.captures, addresses, keep_names, each)
    }

    fn material<'m>(&'m self, diagnosis: &'m Diagnosis<'m>) -> Material<'m> {
        Material {
            captures: &self.captures,
            evidence: &self.evidence,
            diagnosis,
            trust: &self.analyzer.trust,
            options: self.analyzer.options.clone(),
            flows: self.flows,
            flows_dropped: self.flows_dropped,
            effort: Effort::default(),
            all_handshakes: self.analyzer.all_handshakes,
            all_devices: false,
        }
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
    /// If they are not a capture.
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

    /// Ends the file.
    ///
    /// # Errors
    /// If it held no capture.
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

    /// Ends a capture whose reading failed; what was read before counts.
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
