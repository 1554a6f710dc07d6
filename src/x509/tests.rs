//! In: certificates that OpenSSL made (`tests/data/x509/make.sh`) and what OpenSSL says of them. Out: that this module
//! says the same, and that damage is noticed.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine as _;

use crate::capture::Timestamp;
use crate::x509::{BasicConstraints, Certificate, Defect, Digest, HostRules, Name, PublicKey, SignatureCheck};

const PEM: &str = include_str!("../../tests/data/x509/certificates.pem");
const EXPECTED: &str = include_str!("../../tests/data/x509/certificates.txt");

/// The fixtures by name.
fn fixtures() -> BTreeMap<String, Vec<u8>> {
    PEM.split("# ")
        .skip(1)
        .map(|part| {
            let (name, pem) = part.split_once('\n').unwrap();
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            (name.to_owned(), base64::engine::general_purpose::STANDARD.decode(body).unwrap())
        })
        .collect()
}

fn fixture(name: &str) -> Certificate {
    Certificate::from_der(&fixtures()[name])
}

fn flipped(der: &[u8], at: usize) -> Certificate {
    let mut der = der.to_vec();
    der[at] ^= 1;
    Certificate::from_der(&der)
}

fn position(der: &[u8], needle: &[u8]) -> usize {
    der.windows(needle.len()).position(|window| window == needle).unwrap()
}

#[test]
fn a_digest_is_written_and_read_as_hex() {
    // FIPS 180-4, the example message "abc".
    let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Digest::of(b"abc").to_string(), text);
    assert_eq!(Digest::parse_hex(&text.to_uppercase()), Some(Digest::of(b"abc")));
    assert_eq!(Digest::parse_hex("ba78"), None);
    assert_eq!(Digest::parse_hex(&text.replace('b', "+")), None);
    assert_eq!(serde_json::to_string(&Digest::of(b"abc")).unwrap(), format!("\"{text}\""));
}

#[test]
fn every_field_is_as_openssl_says() {
    let fixtures = fixtures();
    assert!(fixtures.len() > 50);
    for line in EXPECTED.lines() {
        let (name, rest) = line.split_once('\t').unwrap();
        let (field, value) = rest.split_once('\t').unwrap();
        let certificate = Certificate::from_der(&fixtures[name]);
        let time = || Timestamp::parse_rfc3339(&value.replace(' ', "T")).unwrap();
        match field {
            "subject" => assert_eq!(certificate.subject().to_string(), value, "{name}"),
            "issuer" => assert_eq!(certificate.issuer().to_string(), value, "{name}"),
            "serial" => assert_eq!(certificate.serial_hex(), value.to_lowercase(), "{name}"),
            "startdate" => assert_eq!(certificate.not_before(), time(), "{name}"),
            "enddate" => assert_eq!(certificate.not_after(), time(), "{name}"),
            "sha256" => assert_eq!(certificate.sha256().to_string(), value, "{name}"),
            "sha1" => assert_eq!(certificate.sha1_hex(), value, "{name}"),
            "spki" => assert_eq!(certificate.public_key().spki_sha256().to_string(), value, "{name}"),
            "algorithm" => {
                let shown = certificate.signature_algorithm().to_string();
                match value.trim() {
                    "rsassaPss" => assert!(shown.starts_with("RSASSA-PSS sha"), "{name}: {shown}"),
                    "ED448" => assert_eq!(shown, "1.3.101.113"),
                    "dsa_with_SHA256" => assert_eq!(shown, "2.16.840.1.101.3.4.3.2"),
                    value => assert_eq!(shown.to_lowercase(), value.to_lowercase(), "{name}"),
                }
            }
            _ => panic!("{line}"),
        }
        assert!(certificate.is_readable() && certificate.problems().is_empty(), "{name}: {:?}", certificate.problems());
    }
}

#[test]
fn every_algorithm_verifies_and_one_changed_byte_does_not() {
    let fixtures = fixtures();
    let issued = ["ca", "leaf", "outside", "client", "plain"];
    for (name, der) in fixtures.iter().filter(|(name, _)| !issued.contains(&name.as_str())) {
        let certificate = Certificate::from_der(der);
        let check = certificate.verify_signed_by(certificate.public_key());
        if name.starts_with("unsupported") {
            assert!(matches!(check, SignatureCheck::Unsupported(_)), "{name}: {check:?}");
            continue;
        }
        assert_eq!(check, SignatureCheck::Valid, "{name}");
        assert!(certificate.is_self_signed(), "{name}");
        let spki = certificate.public_key().spki_der();
        let key_end = position(der, spki) + spki.len();
        for (place, at) in [("signature", der.len() - 1), ("signature", der.len() - 9), ("key", key_end - 1)] {
            let changed = flipped(der, at);
            let check = changed.verify_signed_by(certificate.public_key());
            assert_eq!(check, SignatureCheck::Invalid, "{name}: {place}");
            assert!(!changed.is_self_signed() && changed.is_self_issued(), "{name}");
        }
    }
}

#[test]
fn only_the_issuers_key_verifies() {
    let (root, ca, leaf) = (fixture("root"), fixture("ca"), fixture("leaf"));
    assert_eq!(ca.verify_signed_by(root.public_key()), SignatureCheck::Valid);
    assert_eq!(leaf.verify_signed_by(ca.public_key()), SignatureCheck::Valid);
    assert_eq!(leaf.verify_signed_by(root.public_key()), SignatureCheck::Invalid);
    assert_eq!(leaf.verify_signed_by(fixture("P-384-sha1").public_key()), SignatureCheck::Valid, "same key as ca");
    assert_eq!(leaf.verify_signed_by(fixture("P-256-sha1").public_key()), SignatureCheck::Invalid);
    assert_eq!(root.verify_signed_by(fixture("rsa4096-sha512").public_key()), SignatureCheck::Invalid);
    assert_eq!(
        root.verify_signed_by(&PublicKey::default()),
        SignatureCheck::Unsupported("unreadable public key".into())
    );
}

#[test]
fn keys_say_what_they_are() {
    let shown = |name: &str| fixture(name).public_key().to_string();
    assert_eq!(shown("rsa512-md5"), "RSA 512");
    assert_eq!(shown("rsa2047-sha256"), "RSA 2047");
    assert_eq!(shown("rsa16384-sha256"), "RSA 16384");
    assert_eq!(shown("pss-key"), "RSA 2048");
    assert_eq!(shown("P-521-sha512"), "EC P-521");
    assert_eq!(shown("unsupported-secp256k1"), "EC 1.3.132.0.10");
    assert_eq!(shown("ed25519"), "Ed25519");
    assert_eq!(shown("unsupported-ed448"), "1.3.101.113");
    assert_eq!(shown("unsupported-dsa"), "DSA");
    assert_eq!(fixture("P-521-sha512").public_key().bits(), Some(521));
    let key = fixture("root").public_key().clone();
    assert_eq!(PublicKey::from_spki_der(key.spki_der()), Some(key));
}

#[test]
fn a_ca_and_its_constraints() {
    let (root, ca) = (fixture("root"), fixture("ca"));
    assert_eq!(ca.basic_constraints(), Some(BasicConstraints { ca: true, path_len: Some(2), critical: true }));
    assert_eq!(ca.key_usage().unwrap().to_string(), "keyCertSign, cRLSign");
    assert_eq!(
        ca.extended_key_usage().unwrap(),
        ["1.3.6.1.5.5.7.3.1", "2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.10.3.3"]
    );
    assert!(ca.permits_server_auth() && !ca.permits_client_auth());
    assert!(root.is_ca() && root.is_self_signed() && ca.is_ca() && !ca.is_self_issued());
    assert!(!fixture("leaf").is_ca());
    let version_1 = fixture("version-1");
    assert!(version_1.version() == 1 && version_1.is_ca() && version_1.basic_constraints().is_none());

    let constraints = ca.name_constraints().unwrap();
    assert!(constraints.critical && constraints.permitted.dns == ["contoso.test"]);
    assert_eq!(constraints.excluded.dns, ["bad.contoso.test"]);
    assert_eq!(constraints.permitted.directory[0].to_string(), "O=Northwind");
    assert!(constraints.permitted.ip[0].contains("10.20.255.1".parse().unwrap()));
    assert!(!constraints.permitted.unsupported && !constraints.permitted.is_empty());
    // `openssl verify -partial_chain -trusted ca.crt` accepts the leaf and the plain one, and says "permitted subtree
    // violation" for the other two.
    assert_eq!(constraints.violation(&fixture("leaf")), None);
    assert_eq!(constraints.violation(&fixture("plain")), None);
    assert_eq!(constraints.violation(&fixture("outside")).unwrap(), "name CN=elsewhere is not permitted");
    assert_eq!(constraints.violation(&fixture("client")).unwrap(), "address 10.21.0.1 is not permitted");
}

#[test]
fn a_leaf_and_its_names() {
    let (root, ca, leaf) = (fixture("root"), fixture("ca"), fixture("leaf"));
    assert_eq!(leaf.dns_names(), ["pool.contoso.test", "*.web.contoso.test"]);
    let addresses: Vec<IpAddr> = vec!["10.20.30.10".parse().unwrap(), "2001:db8::10".parse().unwrap()];
    assert_eq!(leaf.ip_addresses(), addresses);
    assert_eq!(leaf.email_addresses(), ["a@contoso.test"]);
    assert_eq!(leaf.uris(), ["sip://pool.contoso.test"]);
    assert_eq!(leaf.names().len(), 6);
    assert_eq!(leaf.directory_names()[0].organization(), Some("Northwind"));
    assert_eq!(leaf.ca_issuers(), ["http://pki.contoso.test/ca.crt", "ldap:///CN=AIA"]);
    assert_eq!(leaf.common_name(), Some("cn.contoso.test"));
    assert!(leaf.permits_server_auth() && !leaf.permits_client_auth(), "the old SGC purpose");
    let key_id = leaf.authority_key_id().unwrap();
    assert_eq!(key_id.key_id.as_deref(), ca.subject_key_id());
    assert_eq!(key_id.issuer.as_ref(), Some(root.subject()));
    assert_eq!(key_id.serial_hex.as_deref(), Some(ca.serial_hex()));
    assert_eq!(fixture("client").unknown_critical_extensions(), ["1.2.3.4.5"]);
    assert!(leaf.unknown_critical_extensions().is_empty() && ca.unknown_critical_extensions().is_empty());
}

#[test]
fn hosts_match_by_alternative_name_then_common_name() {
    let (leaf, plain) = (fixture("leaf"), fixture("plain"));
    let strict = HostRules { wildcards: false, common_name: false };
    let lax = HostRules { wildcards: true, common_name: true };
    assert!(leaf.matches_host("POOL.contoso.test.", strict));
    assert!(leaf.matches_host("a.web.contoso.test", lax) && !leaf.matches_host("a.web.contoso.test", strict));
    assert!(!leaf.matches_host("cn.contoso.test", lax), "the common name is no fall-back beside a dNSName");
    assert!(leaf.matches_host("10.20.30.10", strict) && leaf.matches_host("[2001:db8:0::10]", strict));
    assert!(!leaf.matches_host("10.20.30.11", lax) && !leaf.matches_host("", lax));
    assert!(plain.matches_host("only-cn.contoso.test", lax) && !plain.matches_host("only-cn.contoso.test", strict));
}

#[test]
fn names_written_with_other_string_types_are_the_same_name() {
    let (printable, bmp) = (fixture("name-utf8"), fixture("name-old-types"));
    assert_eq!(printable.subject().organization(), Some("Müller, \"Söhne\" + Co. <KG>; x\\y"));
    assert_eq!(printable.subject().organization(), bmp.subject().organization());
    assert_eq!(printable.subject().domain_components(), ["contoso", "test"]);
    assert!(printable.subject() != bmp.subject());
    assert!(fixture("name-empty").subject().is_empty());
    assert_eq!(fixture("name-types").subject().email_addresses(), ["a@contoso.test"]);
    assert_eq!(Name::from_der(bmp.subject().raw()).as_ref(), Some(bmp.subject()));
}

#[test]
fn damage_is_named_with_its_place() {
    let der = fixtures()["leaf"].clone();
    let whole = Certificate::from_der(&der);

    let longer = Certificate::from_der(&[&der[..], &[0, 0]].concat());
    assert!(longer.is_readable() && longer.subject() == whole.subject());
    assert_eq!(longer.problems(), [format!("after the certificate at byte {}: 2 more bytes", der.len())]);

    let shorter = Certificate::from_der(&der[..100]);
    assert!(!shorter.is_readable() && shorter.problems()[0].starts_with("certificate at byte 0: "));
    assert_eq!(shorter.not_after(), Timestamp::from_seconds(0));

    let date = position(&der, b"Z") - 12;
    let mut letters = der.clone();
    letters[date + 2] = b'x';
    let undated = Certificate::from_der(&letters);
    let message = format!("notBefore at byte {}: ", date - 2);
    assert!(undated.problems()[0].starts_with(&message), "{:?}", undated.problems());
    assert!(!undated.is_readable() && undated.subject() == whole.subject() && !undated.is_self_issued());
    assert!(matches!(undated.verify_signed_by(fixture("ca").public_key()), SignatureCheck::Unsupported(_)));

    // The second algorithm identifier, ecdsa-with-SHA256, made into ecdsa-with-SHA384.
    let oid = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let outer = position(&der[200..], &oid) + 200;
    let mut other = der.clone();
    other[outer + 9] = 3;
    let other = Certificate::from_der(&other);
    // The signature covers the first one, and is right; that the two differ is a defect.
    assert!(other.verify_signed_by(fixture("ca").public_key()).is_valid());
    assert!(matches!(other.defects(), [Defect::AlgorithmsDiffer { .. }]), "{:?}", other.defects());
    assert!(other.problems()[0].contains("differs from the algorithm inside"), "{:?}", other.problems());

    // After the outer algorithm: 03 LENGTH 00 SIGNATURE, where 00 counts unused bits.
    let mut unused = der.clone();
    unused[outer + 12] = 1;
    let unused = Certificate::from_der(&unused);
    assert_eq!(unused.verify_signed_by(fixture("ca").public_key()), SignatureCheck::Invalid);
    assert!(unused.is_readable() && unused.problems()[0].starts_with("signatureValue at byte "));

    for bytes in [&b""[..], b"\x30", b"\x30\x80\0\0", b"GET / HTTP/1.1"] {
        assert!(!Certificate::from_der(bytes).problems().is_empty());
    }
}

#[test]
fn an_unreadable_extension_leaves_the_rest() {
    let mut der = fixtures()["ca"].clone();
    // Basic constraints, critical: 30 06 01 01 ff 02 01 02. Make the BOOLEAN inside a NULL of one byte.
    let at = position(&der, &[0x30, 6, 1, 1, 0xff, 2, 1, 2]);
    der[at + 2] = 5;
    let certificate = Certificate::from_der(&der);
    assert!(certificate.is_readable() && certificate.key_usage().unwrap().key_cert_sign());
    assert!(!certificate.is_ca());
    assert_eq!(certificate.unknown_critical_extensions(), ["2.5.29.19"]);
    assert!(certificate.problems()[0].starts_with(&format!("extension 2.5.29.19 at byte {at}: ")));
}

/// Every byte of a certificate changed in turn, and every length cut: no panic, and never a valid signature but where
/// a problem says that the unsigned copy of the algorithm was changed.
#[test]
fn no_change_anywhere_is_overlooked() {
    let key = fixture("root").public_key().clone();
    let der = fixtures()["ca"].clone();
    for at in 0..der.len() {
        assert!(!Certificate::from_der(&der[..at]).is_readable());
        for bit in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[at] ^= bit;
            let certificate = Certificate::from_der(&changed);
            let _ = (certificate.names(), certificate.subject().to_string(), certificate.is_self_signed());
            let noted = certificate.problems().iter().any(|problem| problem.contains("differs from the algorithm"));
            assert!(!certificate.verify_signed_by(&key).is_valid() || noted, "byte {at}");
        }
    }
}
