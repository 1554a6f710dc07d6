//! In: the certificates that were judged, and an instant. Out: which of them are outside their dates then. Bounded: by
//! the path. Left to others: whether that was the cause.

use std::sync::Arc;

use crate::capture::Timestamp;
use crate::diagnosis::anchors::DeviceAnchors;
use crate::diagnosis::clock::{DeviceClock, YEAR_2000};
use crate::evidence::{Device, Handshake};
use crate::flow::Side;
use crate::protocol::tls::AlertCode;
use crate::trust::{Anchor, Judgement, Profile, Step};
use crate::x509::Certificate;

/// What can be said of the dates of a handshake's certificates.
#[derive(Clone, Debug)]
pub struct Dates {
    /// The instant at which validity was judged.
    pub judged_at: Timestamp,
    /// What that instant is by, in words.
    pub judged_by: &'static str,
    /// From when on every certificate of the path is valid; anchors whose dates do not count are left out.
    pub valid_since: Option<Timestamp>,
    /// Until when every certificate of the path is valid, likewise.
    pub valid_until: Option<Timestamp>,
    /// Certificates of the path that are outside their dates then. Where there is none and the client's alert is
    /// certificate_expired, those beside the path that were sent.
    pub faults: Vec<DateFault>,
    /// Whether the faults are those of certificates beside the path.
    pub beside_path: bool,
    /// The device's own clock then, else the one that most devices of the recording share, where the capture's is wrong.
    pub clock: Option<DeviceClock>,
    /// Whether that clock is known, or an instant was given in its place.
    pub clock_known: bool,
    /// Whether the capture's own clock cannot be right.
    pub suspect_clock: bool,
}

/// A certificate outside its dates.
#[derive(Clone, Debug)]
pub struct DateFault {
    /// Its short name.
    pub name: String,
    /// The date it is outside of.
    pub limit: Timestamp,
    /// The certificate; `None` for an anchor of which only name, key and end are known.
    pub certificate: Option<Arc<Certificate>>,
    /// What it is of the path.
    pub of: Dated,
    /// After its end; otherwise before its start.
    pub expired: bool,
}

/// What a certificate outside its dates is of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dated {
    /// A certificate whose dates every verifier looks at.
    Link,
    /// An anchor whose dates the device is known to look at.
    Anchor,
    /// An anchor; whether the device looks at its dates is not known.
    AnchorPerhaps,
}

impl Dates {
    /// Judges the dates of a chain at the device's clock, or where that is not known at the packets' time; `given` is an
    /// instant that the user gave instead.
    pub(super) fn of(
        device: &Device,
        handshake: &Handshake,
        (chain, anchors): (&Judgement, &DeviceAnchors<'_>),
        clock: Option<DeviceClock>,
        given: Option<Timestamp>,
    ) -> Self {
        let judged_at = instant(handshake, clock.as_ref(), given);
        let certificates = chain.judged_certificates();
        let mut faults = path_faults(chain, anchors, judged_at);
        let says_expired = handshake
            .last_word()
            .is_some_and(|alert| alert.from == Side::Client && alert.code == AlertCode::CERTIFICATE_EXPIRED);
        let counts = |step: &&Step| step.anchor.is_none() || anchor_dated(anchors.profile).is_some();
        let steps = chain.longest_path().into_iter().flat_map(|path| &path.steps).filter(counts);
        let dated: Vec<_> = steps.filter_map(|step| step.certificate.as_ref()).collect();
        let beside_path = faults.is_empty() && says_expired && chain.completed.is_some();
        if beside_path {
            faults = handshake.sent.iter().filter_map(|sent| date_fault(sent, judged_at)).collect();
        }
        let before_all = !certificates.is_empty() && certificates.iter().all(|c| judged_at < c.not_before());
        let impossible = handshake.first.time.seconds() < YEAR_2000 || (before_all && device.time_answers.is_empty());
        Self {
            judged_at,
            valid_since: dated.iter().map(|c| c.not_before()).max(),
            valid_until: dated.iter().map(|c| c.not_after()).min(),
            judged_by: if given.is_some() { "the time given" } else { "the device's own clock" },
            faults,
            beside_path,
            clock_known: clock.as_ref().is_some_and(|clock| clock.own) || given.is_some(),
            suspect_clock: clock.is_none() && given.is_none() && impossible,
            clock,
        }
    }

    /// The faults of one kind: after the end, or before the start.
    pub(in crate::diagnosis) fn outside(&self, expired: bool) -> impl Iterator<Item = &DateFault> {
        self.faults.iter().filter(move |fault| fault.expired == expired)
    }

    /// Whether nothing but anchors is outside its dates, and it is not known whether the device looks at theirs.
    pub(in crate::diagnosis) fn rest_on_anchor(&self) -> bool {
        !self.faults.is_empty() && self.faults.iter().all(|fault| fault.of == Dated::AnchorPerhaps)
    }

    /// The device's clock, where the certificate is outside its dates by that alone: at the packets' time all is well.
    pub(in crate::diagnosis) fn only_by_clock(&self, handshake: &Handshake) -> Option<&DeviceClock> {
        let seen = handshake.first.time;
        let holds = |fault: &DateFault| match &fault.certificate {
            Some(certificate) => certificate.is_valid_at(seen),
            None => seen <= fault.limit,
        };
        self.clock.as_ref().filter(|clock| clock.is_off() && self.faults.iter().all(holds))
    }
}

/// The instant at which the validity of a handshake's certificates is judged.
pub(super) fn instant(handshake: &Handshake, clock: Option<&DeviceClock>, given: Option<Timestamp>) -> Timestamp {
    let seen = handshake.first.time;
    given.unwrap_or_else(|| clock.map_or(seen, |clock| clock.at(seen)))
}

/// What of the path of a chain is outside its dates. Verifiers differ in whether an anchor's dates count: old devices
/// failed all at once when a root that they shared expired, and Android goes on to accept such a root. Decided in
/// D-TRUST-08.
pub(in crate::diagnosis) fn path_faults(
    chain: &Judgement,
    anchors: &DeviceAnchors<'_>,
    at: Timestamp,
) -> Vec<DateFault> {
    let Some(path) = chain.longest_path() else { return Vec::new() };
    let of_step = |step: &Step| {
        let fault = match &step.certificate {
            Some(certificate) => date_fault(certificate, at)?,
            None => expired_anchor(anchors.list.get(step.anchor?)?, at)?,
        };
        let of = if step.anchor.is_some() { anchor_dated(anchors.profile)? } else { Dated::Link };
        Some(DateFault { of, ..fault })
    };
    path.steps.iter().filter_map(of_step).collect()
}

/// How the dates of an anchor count; `None` where the device does not look at them.
fn anchor_dated(profile: &Profile) -> Option<Dated> {
    match &profile.expired_anchors {
        Some(fact) if fact.value => None,
        Some(fact) if fact.provenance.is_fact() => Some(Dated::Anchor),
        _ => Some(Dated::AnchorPerhaps),
    }
}

/// How a certificate is outside its dates.
pub(in crate::diagnosis) fn date_fault(certificate: &Arc<Certificate>, at: Timestamp) -> Option<DateFault> {
    let expired = at > certificate.not_after();
    (!certificate.is_valid_at(at)).then(|| DateFault {
        name: certificate.subject().short(),
        limit: if expired { certificate.not_after() } else { certificate.not_before() },
        certificate: Some(Arc::clone(certificate)),
        of: Dated::Link,
        expired,
    })
}

fn expired_anchor(anchor: &Anchor, at: Timestamp) -> Option<DateFault> {
    let limit = anchor.not_after.filter(|end| at > *end)?;
    Some(DateFault { name: anchor.label.clone(), limit, certificate: None, of: Dated::Anchor, expired: true })
}
