//! What follows from two stories side by side, in one sentence.
//!
//! In: the aligned steps, the two devices and the findings about them. Out: whether they can be compared, the sentence,
//! the finding that it explains and the frames that it rests on. Bounded: a few names and differences are named, the
//! rest counted. Left to others: proof. That a certificate of the good trace completes the bad one's chain is known
//! because the report judged both as one investigation; here it is only looked up.

use super::model::{Because, CompareStep, WhichSide};
use super::names::{Names, listed};
use super::parameters;
use super::sentence::{Sentence, because, frames, joined, told_with_subject};
use super::servers::{self, Service};
use super::steps::Told;
use super::supply::Supply;
use crate::diagnosis::rule_named;
use crate::report::model::{ChainStatus, Device, Finding, Handshake, VerdictStatus};
use crate::report::words::counted;

/// The conclusion and what it rests on.
pub(super) struct Said {
    pub(super) comparable: bool,
    pub(super) conclusion: String,
    pub(super) finding: Option<String>,
    pub(super) because: Vec<Because>,
}

impl Said {
    fn new(conclusion: String) -> Self {
        Self { comparable: true, conclusion, finding: None, because: Vec::new() }
    }
}

/// Draws the conclusion, in words.
pub(super) fn conclude(names: &Names<'_>, told: &Told<'_>, good: &Device, bad: &Device, findings: &[Finding]) -> Said {
    if let Some(why) = not_comparable(names, told) {
        return Said { comparable: false, ..Said::new(format!("they cannot be compared: {why}")) };
    }
    let case = Case { names, told, good, bad, findings };
    let mut said = if !told.steps.iter().any(|step| step.parts) {
        Said::new(case.agreement())
    } else {
        // At a server where only the good one works, it shows how, even if it fails at another.
        let shows_how = told.shared.iter().any(|(ours, theirs)| ours.works() && !theirs.works());
        match (works(good) || shows_how, works(bad)) {
            (true, false) => case.explanation(),
            (true, true) => Said::new(case.both_work()),
            (false, false) => Said::new(case.both_fail()),
            (false, true) => Said::new(format!(
                "the trace given as good fails ({}), and the one given as bad works: give them the other way round",
                good.verdict.summary
            )),
        }
    };
    said.finding = bad.verdict.finding.clone().filter(|_| !works(bad));
    said
}

fn works(device: &Device) -> bool {
    matches!(device.verdict.status, VerdictStatus::Ok | VerdictStatus::Degraded)
}

/// Why the two cannot be compared; `None` if they can (D-REPORT-04).
fn not_comparable(names: &Names<'_>, told: &Told<'_>) -> Option<String> {
    let (ours, theirs) = (&told.alone.0, &told.alone.1);
    if !told.shared.is_empty() {
        return None;
    }
    let servers =
        |services: &[Service<'_>]| listed(&services.iter().map(|service| service.described(names)).collect::<Vec<_>>());
    match (ours.is_empty(), theirs.is_empty()) {
        (true, true) => Some("neither trace holds a TLS handshake".into()),
        (true, false) => Some("the good trace holds no TLS handshake".into()),
        (false, true) if told.common_ground => None,
        (false, true) => Some("the bad trace holds no TLS handshake, and nothing else that the good one has".into()),
        (false, false) => {
            let (ours_in_words, theirs_in_words) = (servers(ours), servers(theirs));
            let (what, shared) = match servers::in_common(ours, theirs) {
                Some((common, differs)) => {
                    ("services", format!("what they share is the {}, and not the {differs}", common.join(" and the ")))
                }
                None => ("servers", "no name, certificate or address is shared".to_owned()),
            };
            Some(format!(
                "they are with different {what}, the good one with {ours_in_words}, the bad one with \
                 {theirs_in_words}; {shared}"
            ))
        }
    }
}

struct Case<'a> {
    names: &'a Names<'a>,
    told: &'a Told<'a>,
    good: &'a Device,
    bad: &'a Device,
    findings: &'a [Finding],
}

impl<'a> Case<'a> {
    fn headline(&self, device: &Device) -> Option<&'a Finding> {
        self.findings.iter().find(|finding| device.verdict.finding.as_ref() == Some(&finding.id))
    }

    /// Decided in D-REPORT-03.
    fn agreement(&self) -> String {
        if self.good.id == self.bad.id {
            // This holds for two captures of the same handshakes as well, since the report joins those.
            let handshakes = counted(self.good.handshakes.len(), "handshake");
            return format!("they agree: both are the same sign-in of one device, {}, {handshakes}", self.good.id);
        }
        let how = match (works(self.good), works(self.bad)) {
            (true, true) => "both work".to_owned(),
            (false, false) => format!("both fail in the same way: {}", self.bad.verdict.summary),
            _ => "nothing that matters differs, though only one of the two verdicts is good".to_owned(),
        };
        let asides: Vec<String> = self.told.steps.iter().filter_map(told_with_subject).collect();
        let steps = counted(self.told.steps.len(), "step");
        match asides.is_empty() {
            true => format!("they agree: {how}, and none of their {steps} differs"),
            false => format!("they agree: {how}, and only what does not matter differs: {}", joined(&asides)),
        }
    }

    fn both_work(&self) -> String {
        let supply = self.told.shared.iter().find_map(|pair| Supply::other_way(self.names, self.good, self.bad, pair));
        let parting = self.told.steps.iter().filter(|step| step.parts);
        // How each got the chain says more than the steps that show it.
        let covered = |step: &&CompareStep| supply.is_none() || !matches!(step.kind.as_str(), "fetch" | "handshake");
        let other = parting.filter(covered).filter_map(told_with_subject);
        let told: Vec<String> = supply.clone().into_iter().chain(other).collect();
        format!("both work, but in different ways: {}", joined(&told))
    }

    fn both_fail(&self) -> String {
        let needed = "a trace of a device that works is needed to say what is missing";
        let names = (self.headline(self.good), self.headline(self.bad));
        match names {
            (Some(one), Some(other)) if one.name == other.name => {
                format!("both fail, with the same finding: {}; {needed}", self.bad.verdict.summary)
            }
            _ => format!(
                "both fail, not in the same way: the good one: {}; the bad one: {}; {needed}",
                self.good.verdict.summary, self.bad.verdict.summary
            ),
        }
    }

    /// Why the good one works and the bad one does not.
    fn explanation(&self) -> Said {
        let finding = self.headline(self.bad);
        let failing = |service: &&Service<'_>| !service.works();
        let at = |service: &Service<'_>| finding.is_none_or(|finding| service.is_at(finding.server.as_deref()));
        let mut pairs: Vec<_> = self.told.shared.iter().filter(|(_, bad)| failing(&bad)).collect();
        pairs.sort_by_key(|(_, bad)| !at(bad));
        if let Some((ours, theirs)) = pairs.first() {
            return self.at_one_server(ours, theirs, finding);
        }
        if let Some(alone) = self.told.alone.1.iter().find(failing) {
            let side = alone.side();
            let end = side.ending.as_ref().unwrap_or(&side.summary);
            return Said::new(format!(
                "the bad one fails with {} ({end}), which the good one never connects to: no good handshake to hold \
                 against it",
                alone.described(self.names)
            ));
        }
        match self.told.alone.0.first() {
            Some(reached) if self.told.shared.is_empty() => {
                let before = self.told.steps.iter().filter(|step| step.parts && step.kind != "handshake");
                let before: Vec<_> = before.filter_map(told_with_subject).collect();
                let before =
                    if before.is_empty() { String::new() } else { format!("; before that: {}", joined(&before)) };
                let mut said = Said::new(format!(
                    "the good one begins TLS with {} in {}; the bad one begins none{before}",
                    reached.described(self.names),
                    frames(&reached.side())
                ));
                said.because.extend(reached.telling().map(|handshake| cited(WhichSide::Good, handshake)));
                said
            }
            _ => Said::new(self.parting_words()),
        }
    }

    /// The conclusion from the steps alone, if no server explains it.
    fn parting_words(&self) -> String {
        let parting = self.told.steps.iter().filter(|step| step.parts);
        let words: Vec<_> = parting.filter_map(told_with_subject).collect();
        format!("the good one works, the bad one does not ({}): {}", self.bad.verdict.summary, joined(&words))
    }

    fn at_one_server(&self, ours: &Service<'_>, theirs: &Service<'_>, finding: Option<&Finding>) -> Said {
        let server = ours.described(self.names);
        let Some(bad) = theirs.telling() else {
            let nothing = theirs.side();
            let mut said = Said::new(format!(
                "the good one connects to {server} in {}; the bad one's connection comes to nothing: {}",
                frames(&ours.side()),
                nothing.summary
            ));
            said.because = vec![because(WhichSide::Good, &ours.side()), because(WhichSide::Bad, &nothing)];
            return said;
        };
        let Some(good) = ours.telling().filter(|_| ours.works()) else { return Said::new(self.parting_words()) };
        let readable = !good.certificates.is_empty() && !bad.certificates.is_empty();
        let chain = finding.filter(|finding| readable && is_about_the_chain(finding));
        // Another issuer explains a finding about the chain. Dates and clocks need no such explanation; an issuer is
        // then one difference among others.
        let sentence = chain
            .map(|finding| self.other_issuer(good, bad).unwrap_or_else(|| self.supply(good, bad, finding)))
            .unwrap_or_else(|| Sentence::new(self.plainly(&server, ours, theirs)));
        let mut said = Said::new(sentence.words);
        said.because = sentence.because;
        said.because.push(cited(WhichSide::Good, good));
        said.because.push(cited(WhichSide::Bad, bad));
        said
    }

    fn supply(&self, good: &Handshake, bad: &Handshake, finding: &Finding) -> Sentence {
        Supply::of(self.names, self.good, self.bad, good, bad, finding).sentence()
    }

    /// What is said if the two are shown certificates by different issuers.
    fn other_issuer(&self, good: &Handshake, bad: &Handshake) -> Option<Sentence> {
        let (one, other) = (good.certificates.first()?, bad.certificates.first()?);
        let (issuer, other_issuer) = (self.names.issuer(one)?, self.names.issuer(other)?);
        let through = |handshake: &Handshake| match &handshake.tunnel_to {
            Some(_) => format!(" (through the proxy {})", handshake.server),
            None => String::new(),
        };
        let which = match (&good.tunnel_to, &bad.tunnel_to) {
            (None, None) => "an inspecting proxy before one of them",
            (Some(_), Some(_)) => "inspection by one of the proxies",
            _ => "inspection by the proxy",
        };
        (one != other && issuer != other_issuer).then(|| {
            Sentence::new(format!(
                "for the same server the good one{} is shown a certificate issued by {issuer}, the bad one{} another, \
                 issued by {other_issuer}: consistent with {which}, or with a certificate from another CA; the good one \
                 accepts its own, the bad one's ends: {}",
                through(good),
                through(bad),
                servers::ending(bad)
            ))
        })
    }

    /// The two endings, and what else differs.
    fn plainly(&self, server: &str, ours: &Service<'_>, theirs: &Service<'_>) -> String {
        let ends = servers::ends(ours, theirs);
        let at_server = servers::differences(self.names, ours, theirs);
        let at_server =
            at_server.into_iter().map(|difference| difference.words).filter(|words| Some(words) != ends.as_ref());
        let before = self.told.steps.iter().filter(|step| step.parts && step.kind != "handshake");
        let other: Vec<String> = before.filter_map(told_with_subject).chain(at_server).collect();
        let end = theirs.telling().map(servers::ending).unwrap_or_default();
        let hidden = |service: &Service<'_>| service.telling().is_some_and(|h| h.chain.status == ChainStatus::Hidden);
        let read = |service: &Service<'_>| service.telling().is_some_and(parameters::are_read);
        let why = match (other.is_empty(), hidden(ours) || hidden(theirs)) {
            (true, false) if !read(ours) || !read(theirs) => {
                "nothing else that can be seen differs; the hellos were not all read and may, as may what each device \
                 trusts or has stored"
                    .to_owned()
            }
            (true, false) => "nothing else that is compared differs: what decides it may be outside of the captures, \
                              such as what each device trusts or has stored"
                .to_owned(),
            (true, true) => "nothing else that can be seen differs; the certificates are hidden, and may, as may what \
                             each device trusts or has stored"
                .to_owned(),
            (false, false) => format!("what else differs: {}", joined(&other)),
            (false, true) => {
                format!("what else differs: {}; the certificates are hidden, and may, too", joined(&other))
            }
        };
        format!("the good one's handshake with {server} completes, the bad one's does not ({end}); {why}")
    }
}

fn is_about_the_chain(finding: &Finding) -> bool {
    rule_named(&finding.name).is_some_and(|rule| rule.id.may_lack_certificate())
}

fn cited(side: WhichSide, handshake: &Handshake) -> Because {
    let capture = handshake.capture.clone();
    let what = format!("handshake with {}: {}", handshake.server, servers::ending(handshake));
    Because { side, capture, frame: Some(handshake.frame), what }
}
