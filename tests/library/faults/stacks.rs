//! What TLS stacks do that the samples are not recorded from: leave without an alert where they check the certificates
//! last, send close_notify in place of a reason, put two alerts into a record, refuse a version with another alert.
//!
//! In: what clients and servers said in the samples, with other last words. Out: failed tests where the report on such
//! a stack is wrong, or says nothing. What it must say follows from what such stacks were seen to do.

use std::path::PathBuf;

use chaingap::evidence::Outcome;
use chaingap::expectations::Options;
use chaingap::flow::Side;
use chaingap::report::{Proof, Severity, VerdictStatus};

use super::frame::Frame;
use super::session::{
    Words, codes, frames, judge, northwind, northwind_known, only, open, opens, options, said, session, told, verdicts,
    without_data,
};

use Proof::{Inferred, Proven, Undecidable};
use Severity::{Error, Info, Warning};
use Side::{Client, Server};

/// Words whose last alert record has another body: level and code, once or more.
fn ending(mut words: Words, alerts: &[u8]) -> Words {
    let (_, alert) = words.iter_mut().rfind(|(_, bytes)| matches!(bytes[..], [21, 3, _, 0, 2, 2, _])).unwrap();
    alert.truncate(3);
    alert.extend([0, u8::try_from(alerts.len()).unwrap()]);
    alert.extend_from_slice(alerts);
    words
}

fn alone(words: Words, closes: Side) -> Vec<Frame> {
    session(&[(443, words, closes)])
}

#[test]
fn several_alerts_in_one_record_are_read() {
    // unknown_ca and close_notify; RFC 5246 section 6.2.1 allows it.
    let report = judge(&alone(ending(said("usb-sign-in.pcapng", 443), &[2, 48, 1, 0]), Client), &northwind_known());
    assert_eq!(told(&report), [("CG001", Error, Proven)]);
}

#[test]
fn close_notify_in_place_of_a_reason_ends_it() {
    // s2n sends it for every fault of a certificate, and the server closes when it arrives.
    for code in [0, 90] {
        let report = judge(&alone(ending(said("usb-sign-in.pcapng", 443), &[1, code]), Server), &northwind_known());
        assert_eq!(told(&report), [("CG001", Error, Inferred)], "{code}");
    }
    // The alert can be read, and so it is named.
    let mut words = said("usb-full-chain.pcapng", 443);
    let answer = words.iter().skip(1).position(|(side, _)| *side == Client).unwrap();
    words.truncate(answer + 2);
    words.push((Server, vec![21, 3, 1, 0, 2, 1, 0]));
    let report = judge(&alone(words, Server), &northwind());
    let evidence: Vec<_> = only(&report, "CG027").evidence.iter().map(|frame| frame.what.as_str()).collect();
    assert!(evidence.contains(&"server: close_notify"), "{evidence:?}");
}

#[test]
fn who_finished_and_left_unused_may_have_had_no_fault_to_find() {
    let unused = || alone(without_data(said("usb-full-chain.pcapng", 443)), Client);
    // Which roots it has is not known.
    let report = judge(&unused(), &Options::default());
    assert_eq!(
        (told(&report), verdicts(&report)),
        (vec![("CG002", Error, Undecidable)], vec![VerdictStatus::Undecided])
    );
    assert_eq!(only(&report, "CG023").severity, Info);
    let report = judge(&unused(), &northwind());
    assert_eq!((codes(&report), verdicts(&report)), (vec![], vec![VerdictStatus::Ok]));
}

#[test]
fn who_finished_and_left_unused_may_have_found_a_fault_last() {
    // Node.js and curl with BoringSSL verify the certificates after Finished, and close without an alert.
    let unused = without_data(said("chain-invalid-accepted.pcapng", 443));
    let report = judge(&alone(unused, Client), &northwind());
    assert_eq!(told(&report), [("CG026", Error, Inferred)]);
    assert!(only(&report, "CG026").stacks.iter().any(|stack| stack.name == "Node.js"));
}

#[test]
fn who_is_asked_for_a_certificate_may_leave_for_that() {
    // Chromium closes at the request, to ask its user.
    let mut words = said("client-certificate-accepted.pcapng", 443);
    let answer =
        words.iter().position(|(side, bytes)| *side == Client && !matches!(bytes[..], [22, 3, _, _, _, 1, ..]));
    words.truncate(answer.unwrap());
    let report = judge(&alone(words.clone(), Client), &options(&["adatum-root"], &[]));
    assert_eq!(told(&report), [("CG013", Error, Inferred)]);
    assert!(only(&report, "CG013").summary.contains("ended it there"));
    let report = judge(&alone(words, Client), &Options::default());
    assert!(told(&report).contains(&("CG013", Error, Undecidable)), "{:?}", told(&report));
}

#[test]
fn a_root_that_nobody_knows_to_be_absent_is_no_fact() {
    let expired = judge(frames("expired.pcap"), &Options::default());
    assert_eq!(codes(&expired), ["CG006"]);
    // Several stacks were measured to send unsupported_certificate for a certificate that is for another use.
    let report = judge(&with_last_alert("chain-invalid-extended-usage.pcapng", 43), &Options::default());
    assert_eq!(told(&report), [("CG026", Error, Inferred)]);
    assert!(only(&report, "CG026").stacks.iter().any(|stack| stack.name == "mbed TLS"));
}

/// A sample whose fatal alert already has this code.
fn with_last_alert(capture: &str, code: u8) -> Vec<Frame> {
    let frames = frames(capture).to_vec();
    let alert = frames.iter().filter_map(Frame::data).any(|data| data.payload.ends_with(&[0, 2, 2, code]));
    assert!(alert, "{capture}");
    frames
}

#[test]
fn handshake_failure_after_the_flight_proves_nothing_about_certificates() {
    // OpenSSL sends it for a short group and for unsafe renegotiation, whatever the chain is.
    let report = judge(&alone(ending(said("usb-sign-in.pcapng", 443), &[2, 40]), Client), &northwind_known());
    assert_eq!(told(&report), [("CG001", Error, Inferred)]);
    assert!(open(&report, "CG001").contains(&"handshake-parameters".to_owned()));
}

#[test]
fn protocol_version_after_the_flight_refuses_the_version_that_the_server_chose() {
    let report = judge(&alone(ending(said("usb-sign-in.pcapng", 443), &[2, 70]), Client), &northwind_known());
    assert_eq!(told(&report)[0].0, "CG009", "{:?}", told(&report));
}

#[test]
fn who_answered_the_flight_and_left_before_both_finished_accepted_the_chain() {
    // ClientKeyExchange, ChangeCipherSpec and Finished, and the server never gets to its own.
    let mut words = said("usb-full-chain.pcapng", 443);
    let answer = words.iter().skip(1).position(|(side, _)| *side == Client).unwrap();
    words.truncate(answer + 2);
    let report = judge(&alone(words, Client), &options(&["fabrikam-root"], &[]));
    assert_eq!(codes(&report), ["CG023"], "the missing root is not the cause");
}

#[test]
fn handshake_failure_before_the_hello_may_be_the_version() {
    // rustls refuses TLS 1.0 with it.
    let report = judge(frames("no-shared-cipher.pcap"), &northwind());
    let finding = only(&report, "CG010");
    assert!(finding.summary.contains("nothing in common") && finding.proof == Inferred, "{}", finding.summary);
    assert!(finding.remedies.iter().any(|remedy| remedy.starts_with("allow TLS 1.0 on the server")));
    // Or the missing server name, where the server accepted the suites from another client.
    let works = (443, said("gnutls-missing-intermediate.pcapng", 443), Client);
    let refused = (443, said("cipher-fallback.pcapng", 443), Server);
    let report = judge(&session(&[works, refused]), &northwind());
    assert_eq!(only(&report, "CG010").proof, Inferred);
    assert!(open(&report, "CG010").contains(&"server-name".to_owned()));
}

/// This ClientHello without extensions and with one cipher suite (RFC 5246 section 7.4.1.2).
fn bare(record: &[u8], suite: u16) -> Vec<u8> {
    let session_id = 5 + 4 + 2 + 32;
    let mut body = record[9..=session_id + usize::from(record[session_id])].to_vec();
    body.extend([0, 2]);
    body.extend(suite.to_be_bytes());
    body.extend([1, 0]);
    let length = u8::try_from(body.len()).unwrap();
    [&record[..3], &[0, length + 4, 1, 0, 0, length], &body].concat()
}

#[test]
fn only_a_hello_that_was_captured_is_like_another() {
    let words = said("usb-full-chain.pcapng", 443);
    let refused = vec![(Client, bare(&words[0].1, 0x0005)), (Server, vec![21, 3, 1, 0, 2, 2, 40])];
    let proof = |works: Words| {
        let report = judge(&session(&[(443, works, Client), (443, refused.clone(), Server)]), &northwind());
        only(&report, "CG010").proof
    };
    // TLS_RSA_WITH_AES_128_CBC_SHA is what the server chose.
    let same = [&[(Client, bare(&words[0].1, 0x002f))], &words[1..]].concat();
    assert_eq!(proof(same), Proven);
    // If its hello was not captured, it may have offered anything.
    assert_eq!(proof(words[1..].to_vec()), Inferred);
}

#[test]
fn alerts_that_say_what_is_wrong_are_told() {
    let hello = said("gnutls-missing-intermediate.pcapng", 443).swap_remove(0);
    // RFC 6066 section 3, RFC 7301 section 3.2, RFC 7507 section 3.
    for (code, finding, proof, says) in [
        (112, "CG031", Proven, "the server does not know the name"),
        (120, "CG027", Inferred, "application protocols"),
        (86, "CG027", Inferred, "a higher version"),
    ] {
        let alert = (Server, vec![21, 3, 1, 0, 2, 2, code]);
        let report = judge(&alone(vec![hello.clone(), alert], Server), &northwind());
        assert_eq!(told(&report), [(finding, Error, proof)], "{code}");
        let summary = &only(&report, finding).summary;
        assert!(summary.contains(says), "{summary}");
        assert!(!open(&report, finding).contains(&"protocol-version".to_owned()), "{code}");
    }
}

#[test]
fn ssl_3_has_no_alert_for_the_version() {
    // RFC 6101 section 5.4.2: a server that takes no SSL 3.0 can only say handshake_failure.
    let mut hello = said("usb-sign-in.pcapng", 443).swap_remove(0);
    hello.1[9..11].copy_from_slice(&[3, 0]);
    let alert = (Server, vec![21, 3, 0, 0, 2, 2, 40]);
    let report = judge(&alone(vec![hello, alert], Server), &northwind());
    assert_eq!(told(&report), [("CG009", Error, Undecidable), ("CG010", Error, Undecidable)]);
}

#[test]
fn what_works_on_one_port_makes_up_for_nothing_on_another() {
    let refused = |port| (port, said("gnutls-missing-intermediate.pcapng", 443), Client);
    // The same client goes on, to a server with another chain.
    let mut works = said("gnutls-missing-intermediate.pcapng", 443);
    works.retain(|(_, bytes)| bytes[0] == 22 && bytes[5] == 1);
    works.extend(said("resumed-ticket.pcapng", 443).into_iter().skip(1));
    let severity = |port| {
        let report = judge(&session(&[refused(port), (443, works.clone(), Client)]), &northwind_known());
        only(&report, "CG001").severity
    };
    assert_eq!((severity(443), severity(5061)), (Warning, Error));
}

fn with_keys(name: &str) -> Options {
    Options { keylog: Some(PathBuf::from(format!("{name}.keys"))), ..options(&["wingtip-root"], &[]) }
}

#[test]
fn a_server_of_tls_1_3_finishes_before_it_knows_the_client() {
    let name = "twin-client-certificate-13";
    let capture = format!("{name}.pcapng");
    let recorded = judge(frames(&capture), &with_keys(name));
    assert_eq!(told(&recorded), [("CG013", Error, Proven)]);
    // The same without the server's last words: it only closes.
    let server = frames(&capture).iter().find(|frame| opens(frame, 443)).unwrap().segment().unwrap().direction().1;
    let of_server = |frame: &Frame| frame.data().is_some_and(|segment| segment.direction().0 == server);
    let last = frames(&capture).iter().rposition(of_server).unwrap();
    let mut silent = frames(&capture).to_vec();
    silent.remove(last);
    let report = judge(&silent, &with_keys(name));
    assert_ne!(verdicts(&report), [VerdictStatus::Ok], "{:?}", told(&report));
    assert!(report.findings.iter().all(|finding| finding.code != "CG030"));
}

#[test]
fn an_alert_after_data_had_gone_both_ways_is_about_the_data() {
    let after = |code: u8| {
        let mut words = said("tls13-works.pcapng", 443);
        words.push((Server, vec![21, 3, 3, 0, 2, 2, code]));
        let report = judge(&alone(words, Server), &northwind());
        (report.devices[0].handshakes[0].outcome, verdicts(&report))
    };
    // internal_error, then one that names a certificate's fault (RFC 8446 section 6.2).
    assert_eq!(after(80), (Outcome::Completed, vec![VerdictStatus::Ok]));
    assert_ne!(after(48).0, Outcome::Completed);
}

#[test]
fn an_alert_after_finished_is_no_probe() {
    let name = "keys-late-alert";
    let options =
        Options { installed: vec!["pki/wingtip-issuing.pem".into()], profile: Some("none".into()), ..with_keys(name) };
    let report = judge(frames(&format!("{name}.pcapng")), &options);
    assert_eq!(verdicts(&report), [VerdictStatus::Fails], "{:?}", told(&report));
}
