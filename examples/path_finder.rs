//! Finds the path from a certificate to a trusted one, or says why there is none:
//!
//! ```text
//! cargo run --example path_finder -- captures/pki/root.pem captures/pki/server.pem captures/pki/issuing.pem …
//! ```
//!
//! In: files of certificates (PEM, DER, PKCS#7): what is trusted, the server's own, and any others. Out: the path, one
//! certificate a line; the exit status is 1 where there is none. Bounded: by the budget below.

use std::process::ExitCode;
use std::sync::Arc;

use chaingap::trust::{Anchor, PathEnd, PathFinder, Pool, Purpose, StepFrom, read_certificates};
use chaingap::x509::Certificate;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [anchors, leaf, others @ ..] = files.as_slice() else {
        eprintln!("usage: path_finder ANCHORS LEAF [OTHERS…]");
        return ExitCode::from(2);
    };
    let anchors: Vec<Anchor> = read(anchors).into_iter().map(Anchor::from_certificate).collect();
    let Some(leaf) = read(leaf).into_iter().next() else { return ExitCode::from(2) };
    let mut pool = Pool::default();
    for certificate in others.iter().flat_map(read) {
        pool.add(&certificate, StepFrom::Sent);
    }

    let search = PathFinder::new(20_000).find(&leaf, Purpose::Server, &anchors, &[&pool]);
    for certificate in search.path.certificates() {
        println!("{}", certificate.subject());
    }
    let top = search.path.top().map(|top| top.issuer().to_string()).unwrap_or_default();
    match search.path.end {
        PathEnd::Anchor => println!("trusted"),
        PathEnd::SelfSigned => println!("the last one signed itself, and is not trusted"),
        PathEnd::IssuerUnknown => println!("its issuer is not there: {top}"),
        PathEnd::Loop => println!("its issuer is on the path already: {top}"),
        PathEnd::Faulty => println!("not a valid path"),
    }
    for (culprit, fault) in &search.path.faults {
        println!("{}: {fault}", culprit.as_ref().map_or(top.clone(), |culprit| culprit.subject().to_string()));
    }
    if search.left_out.is_some() {
        println!("the search was cut short");
    }
    ExitCode::from(u8::from(search.path.end != PathEnd::Anchor))
}

/// The certificates of a file; what cannot be read is reported.
fn read(file: &String) -> Vec<Arc<Certificate>> {
    let bytes = std::fs::read(file).unwrap_or_else(|why| panic!("{file}: {why}"));
    let contents = read_certificates(&bytes);
    contents.problems.iter().for_each(|problem| eprintln!("{file}: {problem}"));
    contents.certificates.into_iter().map(Arc::new).collect()
}
