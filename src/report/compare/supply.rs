//! Where the good one got the certificates that the bad one lacks.
//!
//! In: a handshake of each with the same server, and the bad one's finding. Out: a sentence, with the frames. Which
//! certificates would complete the bad one's chain is the report's judgement: only those are looked for, by their
//! hashes. Left to others: everything else.

use super::model::{StepSide, WhichSide};
use super::names::{Names, first_part, listed};
use super::sentence::{Sentence, because, frames};
use super::servers::Service;
use crate::report::model::{ChainStatus, Device, Fetch, Finding, Handshake, Via};

/// What is looked for, and where.
pub(super) struct Supply<'a> {
    names: &'a Names<'a>,
    good: &'a Device,
    bad: &'a Device,
    ours: &'a Handshake,
    theirs: &'a Handshake,
    /// Certificates that would complete the bad one's chain.
    wanted: Vec<String>,
    /// What the bad one lacks, in words, where no such certificate is known.
    lacks: Vec<String>,
}

impl<'a> Supply<'a> {
    pub(super) fn of(
        names: &'a Names<'a>,
        good: &'a Device,
        bad: &'a Device,
        ours: &'a Handshake,
        theirs: &'a Handshake,
        finding: &Finding,
    ) -> Self {
        // Certificates that neither of the two had, such as those of a bundle, are looked for as well, and not found.
        let steps = theirs.chain.completed_path.iter().filter(|step| !step.held);
        let mut wanted: Vec<String> = steps.filter_map(|step| step.sha256.clone()).collect();
        for candidate in finding.missing.iter().flat_map(|missing| &missing.candidates) {
            // Candidates are alternatives for one link, so one is enough; a completed path already holds the one it was
            // built with.
            if wanted.is_empty() {
                wanted.push(candidate.sha256.clone());
            }
        }
        let mut lacks: Vec<String> = finding.missing.iter().map(|missing| first_part(&missing.subject)).collect();
        if lacks.is_empty() {
            lacks.extend(wanted.iter().map(|sha| names.subject(sha)));
        }
        if lacks.is_empty() {
            // The path ends at a root that is not trusted, or below an unknown issuer.
            let top = theirs.chain.completed_path.last().and_then(|step| step.sha256.as_ref());
            let top = top.or(theirs.certificates.last()).and_then(|sha| names.certificate(sha));
            lacks.extend(top.map(|certificate| first_part(&certificate.issuer)));
        }
        Self { names, good, bad, ours, theirs, wanted, lacks }
    }

    /// The conclusion about a chain.
    pub(super) fn sentence(&self) -> Sentence {
        let fetch = self.fetch();
        let fetched: Vec<&String> =
            self.wanted.iter().filter(|sha| fetch.is_some_and(|f| f.certificates.contains(sha))).collect();
        let sent: Vec<&String> = self.wanted.iter().filter(|sha| self.ours.certificates.contains(sha)).collect();
        match fetch {
            Some(fetch) if !fetched.is_empty() => self.downloaded(fetch, &fetched),
            _ if !sent.is_empty() => self.sent_along(&sent),
            _ => self.supplied_by_nothing(),
        }
    }

    /// The good one's fetch that brought most of the wanted certificates.
    fn fetch(&self) -> Option<&'a Fetch> {
        let wanted = |fetch: &&Fetch| self.wanted.iter().filter(|sha| fetch.certificates.contains(sha)).count();
        let useful = self.good.fetches.iter().filter(|fetch| fetch.problem.is_none() && wanted(fetch) > 0);
        useful.rev().max_by_key(wanted)
    }

    fn downloaded(&self, fetch: &Fetch, fetched: &[&String]) -> Sentence {
        let names = self.names.subjects(fetched.iter().copied());
        let words = format!(
            "the good trace {} {names} {} in {}{}; the bad one {}, and its server {}",
            verb(fetch),
            channel(fetch),
            frames(&span(fetch)),
            self.timing(fetch),
            self.asked(fetch),
            self.sends()
        );
        let mut sentence = Sentence::new(words);
        sentence.because.push(because(WhichSide::Good, &span(fetch)));
        sentence
    }

    fn timing(&self, fetch: &Fetch) -> &'static str {
        let end = fetch.last_frame.unwrap_or(fetch.frame);
        let first = self.good.handshakes.iter().map(|handshake| handshake.frame).min();
        if first.is_some_and(|first| end < first) {
            " before its first handshake"
        } else if end < self.ours.frame {
            " before the handshake that works"
        } else {
            ""
        }
    }

    /// What the bad one did about the same fetch.
    fn asked(&self, fetch: &Fetch) -> String {
        let before = self.bad.fetches.iter().filter(|own| own.frame < self.theirs.frame);
        let same: Vec<&Fetch> = before.filter(|own| own.via == fetch.via).collect();
        match same.last() {
            None if self.bad.fetches.iter().any(|own| own.via == fetch.via) => "asks only after its handshake".into(),
            None => "never asks".into(),
            Some(own) => {
                let got = match &own.problem {
                    Some(problem) => format!("in vain ({problem})"),
                    None if own.certificates.is_empty() => "and gets no certificate".into(),
                    None => format!("and gets {} instead", self.names.subjects(own.certificates.iter())),
                };
                format!("asks in frame {} {got}", own.frame)
            }
        }
    }

    /// What the bad one's server sends.
    fn sends(&self) -> String {
        match &self.theirs.certificates[..] {
            [] => "sends no certificate that can be read".into(),
            [_] => "sends the leaf alone".into(),
            [_, more @ ..] => {
                let names: Vec<String> = more.iter().map(|sha| self.told_apart(sha)).collect();
                format!("sends {} beside the leaf", listed(&names))
            }
        }
    }

    /// The name of a certificate that the bad one is sent, marked if the good one is sent another one of that name.
    fn told_apart(&self, sha: &String) -> String {
        let name = self.names.subject(sha);
        let namesake = |other: &String| other != sha && self.names.subject(other) == name;
        if self.ours.certificates.iter().any(namesake) { format!("another {name}") } else { name }
    }

    fn sent_along(&self, sent: &[&String]) -> Sentence {
        let names = self.names.subjects(sent.iter().copied());
        Sentence::new(format!("the good one's server sends {names} along; the bad one's {}", self.sends()))
    }

    /// The conclusion if nothing in the good trace supplies what the bad one lacks.
    fn supplied_by_nothing(&self) -> Sentence {
        let lacks = listed(&self.lacks);
        let (ours, theirs) = (&self.ours.certificates, &self.theirs.certificates);
        if ours.first() == theirs.first() {
            return Sentence::new(format!(
                "the good one accepts the same server's certificate, and nothing in its trace supplies {lacks}, which \
                 the bad one lacks: it trusted or stored that before its trace began, or does not check it"
            ));
        }
        let dated = |list: &[String]| list.first().map(|sha| self.names.dated(sha)).unwrap_or_default();
        Sentence::new(format!(
            "the two are shown different certificates of one issuer, {} and {}; the good one accepts its own, and \
             nothing in its trace supplies {lacks}, which the bad one lacks",
            dated(ours),
            dated(theirs)
        ))
    }

    /// How two that both work with a server got its chain, if they did so in different ways.
    pub(super) fn other_way(
        names: &'a Names<'a>,
        good: &'a Device,
        bad: &'a Device,
        pair: &(Service<'a>, Service<'a>),
    ) -> Option<String> {
        let (one, other) = (pair.0.telling()?, pair.1.telling()?);
        if one.certificates.first() != other.certificates.first() {
            return None;
        }
        let ((ours, at), (theirs, other_at)) = (way(names, good, one), way(names, bad, other));
        (ours != theirs).then(|| format!("the good one {ours}{at}; the bad one {theirs}{other_at}"))
    }
}

/// How a device got the certificates between leaf and root, and in which frames.
fn way(names: &Names<'_>, device: &Device, handshake: &Handshake) -> (String, String) {
    let Some((_, issuers)) = handshake.chain.completed_path.split_first() else {
        return ("shows no certificates".into(), String::new());
    };
    let shas: Vec<&String> = issuers.iter().filter_map(|step| step.sha256.as_ref()).collect();
    let before = |fetch: &&Fetch| fetch.problem.is_none() && fetch.frame < handshake.frame;
    let fetch =
        device.fetches.iter().filter(before).find(|fetch| shas.iter().any(|sha| fetch.certificates.contains(sha)));
    let sent: Vec<&String> = shas.iter().copied().filter(|sha| handshake.certificates.contains(sha)).collect();
    let words = match fetch {
        Some(fetch) => {
            let fetched = shas.iter().copied().filter(|sha| fetch.certificates.contains(sha));
            format!("{} {} {}", verb(fetch), names.subjects(fetched), channel(fetch))
        }
        None if !sent.is_empty() => format!("is sent {} by the server", names.subjects(sent.into_iter())),
        None if handshake.chain.status == ChainStatus::Trusted => "needs none".into(),
        None => {
            let unheld = issuers.iter().filter(|step| !step.held).map(|step| first_part(&step.subject));
            let mut lacking: Vec<String> = unheld.collect();
            if lacking.is_empty() {
                lacking.push("the rest of the chain".into());
            }
            let lacking = listed(&lacking);
            format!("shows no source of {lacking}: it had that from before the trace, or does not check it")
        }
    };
    (words, fetch.map(|fetch| format!(" in {}", frames(&span(fetch)))).unwrap_or_default())
}

fn verb(fetch: &Fetch) -> &'static str {
    match fetch.via {
        Via::Ldap => "finds",
        Via::Http => "downloads",
    }
}

/// `on port 80`, `by LDAP`.
fn channel(fetch: &Fetch) -> String {
    match (fetch.via, fetch.server.rsplit_once(':')) {
        (Via::Ldap, _) => "by LDAP".into(),
        (_, Some((_, port))) => format!("on port {port}"),
        (Via::Http, None) => "by http".into(),
    }
}

/// A fetch as one side of a step.
fn span(fetch: &Fetch) -> StepSide {
    let (method, url) = (fetch.method.as_deref().unwrap_or_default(), fetch.url.as_deref().unwrap_or_default());
    StepSide {
        capture: fetch.capture.clone(),
        frame: Some(fetch.frame),
        last_frame: fetch.last_frame,
        summary: format!("{method} {url}"),
        ..StepSide::default()
    }
}
