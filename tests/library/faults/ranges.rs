//! A certificate that is fetched in parts: each answer brings a range of the file, or was cut off and resumed.
//!
//! In: the certificate that a sample's phone fetched, and its handshake after that. Out: failed tests. What must be
//! reported is what the recording has, where the certificate came in one answer.

use chaingap::report::{Proof, Report, Severity};

use super::frame::Frame;
use super::session::{Words, asked, codes, download, get, judge, session, told};
use Proof::{Proven, Undecidable};
use Severity::Warning;
use chaingap::flow::Side::Client;

const TYPE: &str = "Content-Type: application/pkix-cert";

/// A request for a range of `body`, and its answer (RFC 9110 section 14.4).
fn range(body: &[u8], first: usize, end: usize, more: &str) -> Words {
    let (last, total) = (end - 1, body.len());
    let head = format!("206 Partial Content\r\n{TYPE}\r\nContent-Range: bytes {first}-{last}/{total}{more}");
    get("/ca.crt", &head, &body[first..end]).1
}

fn over(connections: &[Words]) -> Vec<Frame> {
    let mut all: Vec<_> = connections.iter().map(|words| (80, words.clone(), Client)).collect();
    all.push(download().1);
    session(&all)
}

fn fetched(report: &Report) -> Vec<usize> {
    report.devices[0].fetches.iter().map(|fetch| fetch.certificates.len()).collect()
}

#[test]
fn ranges_of_one_file_are_one_body() {
    let (body, _, options) = download();
    let end = body.len();
    let recorded = [("CG003", Warning, Proven)];
    for cut in [1, 4, 100, end / 2, end - 1] {
        let (first, second) = (range(&body, 0, cut, ""), range(&body, cut, end, ""));
        let one = over(&[[first.clone(), second.clone()].concat()]);
        let two = over(&[first.clone(), second.clone()]);
        let reversed = over(&[second, first]);
        for frames in [one, two, reversed] {
            let report = judge(&frames, &options);
            assert_eq!((told(&report), fetched(&report)), (recorded.to_vec(), vec![0, 1]), "cut at {cut}");
        }
    }
    // Ranges may overlap, and a validator that only one answer names tells nothing.
    let overlapping = [range(&body, 0, 500, "\r\nETag: \"1\""), range(&body, 300, end, ""), range(&body, 0, 9, "")];
    assert_eq!(fetched(&judge(&over(&overlapping), &options)), [0, 1, 0]);
    let three = [range(&body, 500, end, ""), range(&body, 0, 200, ""), range(&body, 200, 500, "")];
    let report = judge(&over(&three), &options);
    assert_eq!((told(&report), fetched(&report)), (recorded.to_vec(), vec![0, 0, 1]));
}

#[test]
fn a_download_that_was_cut_off_is_resumed() {
    let (body, _, options) = download();
    let head = format!("HTTP/1.1 200 OK\r\n{TYPE}\r\nContent-Length: {}\r\n\r\n", body.len());
    let cut = asked("GET /ca.crt HTTP/1.1\r\nHost: pki.contoso.test", &[head.as_bytes(), &body[..300]].concat());
    let report = judge(&over(&[cut.clone(), range(&body, 300, body.len(), "")]), &options);
    assert_eq!(told(&report), [("CG003", Warning, Proven)]);
    assert_eq!(fetched(&report).iter().sum::<usize>(), 1);
    // Alone, it is a failed download.
    assert!(codes(&judge(&over(&[cut]), &options)).contains(&"CG004"));
}

#[test]
fn parts_of_different_files_are_not_joined() {
    let (body, _, options) = download();
    let (end, longer) = (body.len(), [body.as_slice(), b"\n"].concat());
    let mut changed = body.clone();
    changed[350] ^= 1;
    let (start, rest) = (|more: &str| range(&body, 0, 400, more), |more: &str| range(&body, 400, end, more));
    let other_path = get(
        "/other.crt",
        &format!("206 Partial Content\r\n{TYPE}\r\nContent-Range: bytes 400-{}/{end}", end - 1),
        &body[400..],
    )
    .1;
    let pairs = [
        ("another ETag", [start("\r\nETag: \"1\""), rest("\r\nETag: \"2\"")]),
        (
            "another date",
            [
                start("\r\nLast-Modified: Mon, 30 Nov 2026 00:00:00 GMT"),
                rest("\r\nLast-Modified: Tue, 01 Dec 2026 00:00:00 GMT"),
            ],
        ),
        ("another length", [start(""), range(&longer, 400, longer.len(), "")]),
        ("other bytes in the overlap", [start(""), range(&changed, 300, end, "")]),
        ("another URL", [start(""), other_path]),
        ("a gap between them", [start(""), range(&body, 401, end, "")]),
    ];
    for (what, pair) in pairs {
        let report = judge(&over(&pair), &options);
        assert_eq!(fetched(&report), [0, 0], "{what}");
        assert!(told(&report).contains(&("CG004", Warning, Undecidable)), "{what}: {:?}", told(&report));
        assert!(!told(&report).contains(&("CG001", Severity::Error, Proven)), "{what}");
    }
}

#[test]
fn several_ranges_in_one_answer_are_named() {
    let (body, _, options) = download();
    let answer =
        get("/ca.crt", "206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=x", &body[..300]).1;
    let report = judge(&over(&[answer]), &options);
    let fetch = &report.devices[0].fetches[0];
    assert!(fetch.problem.as_deref().is_some_and(|problem| problem.contains("multipart/byteranges")), "{fetch:?}");
}
