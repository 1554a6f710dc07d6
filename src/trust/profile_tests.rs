//! In: the built-in profiles and small ones made here. Out: what is known of each device, and what holds where nothing
//! is. Left to others: mistakes in a profile file (the tests beside the format), and how facts are shown.

use std::sync::Arc;

use crate::evidence::FetchKind;
use crate::protocol::tls::Version;
use crate::trust::{Adds, Profile, Provenance, read_certificates};
use crate::x509::{Certificate, HostRules};

const MINIMAL: &str = "name = \"x\"\ndescription = \"y\"\n";
const PEM: &str = include_str!("../../tests/data/x509/certificates.pem");

fn lync() -> Profile {
    Profile::parse(Profile::builtin_text("lync-phone-edition").unwrap()).unwrap()
}

fn fixture(subject: &str) -> Arc<Certificate> {
    let all = read_certificates(PEM.as_bytes()).certificates;
    Arc::new(all.into_iter().find(|certificate| certificate.subject().to_string() == subject).unwrap())
}

#[test]
fn every_builtin_profile_is_found_by_the_name_it_gives_itself() {
    for name in Profile::names() {
        let profile = Profile::parse(Profile::builtin_text(name).unwrap()).unwrap();
        assert_eq!(profile.name, name);
    }
    assert_eq!(Profile::names().len(), 6);
    assert!(Profile::builtin("nothing").is_none());
}

#[test]
fn every_fact_of_a_builtin_profile_says_where_it_is_known_from() {
    for name in Profile::names() {
        let profile = Profile::builtin(name).unwrap();
        let mut sources: Vec<&str> = profile.anchors.iter().map(|anchor| anchor.source.as_str()).collect();
        sources.extend(profile.unsupported.iter().map(|entry| entry.source.as_str()));
        sources.extend(profile.fetches.values().map(|fact| fact.source.as_str()));
        sources.extend(profile.notes.iter().map(|fact| fact.source.as_str()));
        sources.extend(profile.facts().iter().filter_map(|fact| fact.known.as_ref()).map(|(_, _, source)| *source));
        assert!(sources.len() >= 2, "{name}");
        assert!(sources.iter().all(|source| source.trim().len() > 10), "{name}: {sources:?}");
        assert!(profile.anchors.iter().all(|anchor| anchor.provenance.is_some()), "{name}");
    }
}

#[test]
fn old_firmware_lacks_the_digicert_roots_and_probably_sha2() {
    let (old, new) = (Profile::builtin("lync-phone-edition-old-firmware").unwrap(), lync());
    let labels = |profile: &Profile| -> Vec<String> {
        profile.anchors.iter().map(|anchor| anchor.label.clone()).filter(|label| !label.contains("DigiCert")).collect()
    };
    assert_eq!((old.anchors.len(), labels(&old)), (16, labels(&new)));
    let sha256 = fixture("CN=rsa2048").signature_algorithm();
    let [likely] = old.unsupported_signature(&sha256)[..] else { panic!("one entry on SHA-2") };
    assert!(likely.only.is_none() && !likely.provenance.is_fact());
    assert_eq!(old.unsupported.len(), new.unsupported.len());
    assert_eq!((old.tls_versions, old.fetches), (new.tls_versions, new.fetches));
}

#[test]
fn who_fetches_issuers_and_whose_roots_are_left_to_the_user() {
    for (name, fetches) in [("generic-no-aia", false), ("android-teams-phone", false), ("windows-pc", true)] {
        let profile = Profile::builtin(name).unwrap();
        let aia = profile.aia.unwrap();
        assert_eq!((aia.value, aia.provenance.is_fact()), (fetches, false), "{name}");
        assert!(profile.anchors.is_empty() && profile.description.contains("--roots"), "{name}");
    }
}

#[test]
fn what_is_documented_of_lync_phones() {
    let profile = lync();
    let versions = profile.tls_versions.clone().unwrap();
    assert_eq!((versions.value.max, versions.provenance), (Version(0x0301), Provenance::Doc));
    assert_eq!(profile.host_rules(), HostRules { wildcards: true, common_name: true });
    assert!(!profile.anchors_complete);
    assert!(profile.checks.unwrap().value.is_empty());
}

#[test]
fn the_anchors_of_lync_phones() {
    let anchors = lync().anchors;
    assert_eq!(anchors.len(), 19);
    // RSA sizes as the public bundles have them: 1024 bits for the oldest.
    let bits = |label: &str| anchors.iter().find(|anchor| anchor.label == label).unwrap().key.bits().unwrap();
    assert_eq!(bits("GTE CyberTrust Global Root"), 1024);
    assert_eq!(bits("Baltimore CyberTrust Root"), 2048);
    for anchor in &anchors {
        assert!(
            anchor.key.is_rsa() && !anchor.given && anchor.provenance == Some(Provenance::Unverified),
            "{anchor:?}"
        );
        assert!(!anchor.subject.is_empty() && anchor.not_after.is_some() && !anchor.sha1.is_empty(), "{anchor:?}");
        assert!(anchor.sha1.iter().all(|sha1| sha1.len() == 40), "{anchor:?}");
    }
    let baltimore = anchors.iter().find(|anchor| anchor.label == "Baltimore CyberTrust Root").unwrap();
    assert_eq!(baltimore.subject.to_string(), "CN=Baltimore CyberTrust Root,OU=CyberTrust,O=Baltimore,C=IE");
    assert_eq!(baltimore.not_after.unwrap().date(), "2025-05-12");
    let names: std::collections::BTreeSet<_> = anchors.iter().map(|anchor| &anchor.subject).collect();
    assert_eq!(names.len(), anchors.len(), "each root once");
}

#[test]
fn a_download_adds_the_default_of_its_kind_unless_the_profile_says_otherwise() {
    let none = Profile::none();
    for kind in [FetchKind::Certprov, FetchKind::LdapRoot] {
        assert!(none.adds(kind, Adds::Anchors) && none.adds(kind, Adds::Intermediates));
    }
    for kind in [FetchKind::LdapAia, FetchKind::Aia, FetchKind::Http] {
        assert!(!none.adds(kind, Adds::Anchors) && none.adds(kind, Adds::Intermediates));
    }
    let own = format!(
        "{MINIMAL}[fetches]\nldap-root = {{ value = [\"intermediates\"], provenance = \"doc\", source = \"s\" }}"
    );
    let own = Profile::parse(&own).unwrap();
    assert!(!own.adds(FetchKind::LdapRoot, Adds::Anchors) && own.adds(FetchKind::Certprov, Adds::Anchors));
}

#[test]
fn what_a_device_cannot_do() {
    let profile = lync();
    let sha256 = profile.unsupported_signature(&fixture("CN=rsa2048").signature_algorithm());
    assert_eq!(sha256.len(), 1);
    assert_eq!(sha256[0].only.as_deref(), Some("old firmware"));
    let pss = profile.unsupported_signature(&fixture("CN=pss-sha1").signature_algorithm());
    assert!(pss.len() == 1 && pss[0].only.is_none() && pss[0].provenance.is_fact());
    assert_eq!(profile.unsupported_key(fixture("CN=P-256-sha1").public_key()).len(), 1);
    assert!(profile.unsupported_key(fixture("CN=rsa2048").public_key()).is_empty());
}
