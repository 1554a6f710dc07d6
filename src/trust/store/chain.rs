//! The file with the chain that a server is to send.
//!
//! In: the bytes of a file. Out: what a server would send of it, in its order, unreadable certificates included; whether
//! it has an order at all; and what of the file is not sent. Bounded: by the file. Left to others: which of the
//! certificates is the server's own, and whether the chain holds.

use std::sync::Arc;

use super::contents::{Contents, Item, contents};
use crate::files;
use crate::x509::Certificate;

/// What a server would send of a file.
#[derive(Clone, Debug, Default)]
pub struct ChainFile {
    /// The certificates in the order of the file, also where one stands in it twice.
    pub certificates: Vec<ChainCertificate>,
    /// Whether the server sends them in the order of the file, as it does with PEM. The certificates of PKCS#7 and of a
    /// serialized store are sets: the software that imports them puts them in order.
    pub ordered: bool,
    /// Why a server cannot read the file at all, a clause each.
    pub stops: Vec<String>,
    /// What of the file is not sent, and why; a line each.
    pub problems: Vec<String>,
}

/// A certificate of the file, or what should be one.
#[derive(Clone, Debug)]
pub struct ChainCertificate {
    /// Where it is in the file, such as `PEM block at byte 0`.
    pub place: String,
    /// The certificate; `None` where the file does not hold the bytes of one.
    pub certificate: Option<Arc<Certificate>>,
    /// Why it cannot be read.
    pub problem: Option<String>,
}

/// Reads the file with a server's chain, of any kind that [`read_certificates`](super::read_certificates) reads.
///
/// Of PEM it takes the blocks that a server sees (D-CLI-06). Where there is none, as in quoted text, no certificate can be
/// read by a server as it stands.
pub fn read_chain(bytes: &[u8]) -> ChainFile {
    let Contents { mut items, form, notes: mut problems, stops } = contents(bytes);
    if items.iter().any(|item| item.is_sent) {
        let (sent, others): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.is_sent);
        problems.extend(others.iter().map(|item| format!("{}: a server does not read it where it stands", item.place)));
        items = sent;
    } else if form.is_ordered() {
        items.iter_mut().for_each(|item| item.breach = Some(NO_LINE.to_owned()));
    }
    if files::is_utf16(bytes) && form.is_ordered() {
        problems
            .push("it is text in UTF-16, which servers that use OpenSSL do not read; save it as ASCII or UTF-8".into());
    }
    let certificates = items.into_iter().map(of_item).collect();
    ChainFile { certificates, ordered: form.is_ordered(), stops, problems }
}

const NO_LINE: &str = "its first line is not a line of its own, so that no server sees it";

fn of_item(item: Item) -> ChainCertificate {
    let (certificate, problem) = match item.certificate {
        Ok(certificate) => {
            let unread = (!certificate.is_readable()).then(|| certificate.problems().join("; "));
            (Some(Arc::new(certificate)), unread.or(item.breach))
        }
        Err(why) => (None, Some(why)),
    };
    ChainCertificate { place: item.place, certificate, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../../tests/data/protocol/chain.pem");
    const P7B_PEM: &str = include_str!("../../../tests/data/protocol/chain-p7b.pem");

    /// The text's blocks, each with its line end.
    fn blocks() -> Vec<String> {
        PEM.split_inclusive("-----END CERTIFICATE-----\n").map(str::to_owned).collect()
    }

    /// The short names of what is sent; `?` for what cannot be read.
    fn sent(text: &str) -> Vec<String> {
        let name = |it: ChainCertificate| match (it.certificate, it.problem) {
            (Some(certificate), None) => certificate.subject().short(),
            _ => "?".to_owned(),
        };
        read_chain(text.as_bytes()).certificates.into_iter().map(name).collect()
    }

    #[test]
    fn a_server_sends_the_blocks_that_begin_a_line() {
        let (blocks, whole) = (blocks(), sent(PEM));
        assert_eq!(whole.len(), 2);
        let [first, second] = &blocks[..] else { panic!("{blocks:?}") };
        assert_eq!(sent(&format!("# a comment\r\n{first}\n{second}{second}")), [&whole[..], &whole[1..]].concat());
        // Neither text in front of the first line nor behind it is passed over by OpenSSL.
        assert_eq!(sent(&format!("x{first}{second}")), whole[1..]);
        assert_eq!(sent(&format!("{}{second}", first.replacen("-----\n", "-----x\n", 1))), whole[1..]);
        // A message is no certificate to it.
        assert_eq!(sent(&format!("{P7B_PEM}\n{second}")), whole[1..]);
        assert!(!read_chain(format!("{P7B_PEM}\n{second}").as_bytes()).problems.is_empty());
    }

    #[test]
    fn a_block_that_a_server_cannot_read_keeps_its_place() {
        let (blocks, whole) = (blocks(), sent(PEM));
        let [first, second] = &blocks[..] else { panic!("{blocks:?}") };
        for broken in [
            first.replacen("MII", "M!I", 1),
            first.replacen("MII", "\"MII", 1),
            first.replacen("MII", "M\n\nII", 1),
            first.replace("-----END CERTIFICATE-----\n", ""),
            first.replace("-----END CERTIFICATE-----", "-----END X-----"),
            first.replace("-----END CERTIFICATE-----", "-----END CERTIFICATE-----x"),
            first.replace("-----END", " -----END"),
            first.replacen("CERTIFICATE-----\nMII", "CERTIFICATE-----\n", 1),
        ] {
            assert_eq!(sent(&format!("{broken}{second}")), ["?".to_owned(), whole[1].clone()], "{broken}");
        }
        // As `cat` joins files without a line end: OpenSSL says "bad end line".
        assert_eq!(sent(&format!("{}{second}", first.trim_end())), ["?"]);
        // What OpenSSL passes over all the same: one blank line at the start, spaces behind the first and last line.
        let odd =
            first.replacen("-----\nMII", "----- \r\n\r\nMII", 1).replace("CERTIFICATE-----\n", "CERTIFICATE-----  \n");
        assert_eq!(sent(&format!("{odd}{second}")), whole);
    }

    #[test]
    fn a_broken_block_of_another_kind_stops_a_server_too() {
        let stops = |text: String| read_chain(text.as_bytes()).stops.len();
        let key = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(stops(format!("{key}{PEM}")), 0);
        assert_eq!(stops(format!("{}{PEM}", key.replace("-----END", "----END"))), 1);
        assert_eq!(stops(format!("-----BEGIN X-----\n{PEM}")), 1);
        assert_eq!(stops(format!("-----BEGIN X-----\n-----END X-----\n{PEM}")), 1);
        assert_eq!(stops(format!("{PEM}-----BEGIN X509 CRL-----\nA!AA\n-----END X509 CRL-----\n")), 1);
        assert_eq!(stops(format!("see -----BEGIN X-----\n{PEM}")), 0);
    }

    #[test]
    fn sets_have_no_order() {
        assert!(read_chain(PEM.as_bytes()).ordered);
        for set in [&include_bytes!("../../../tests/data/protocol/chain.p7b")[..], P7B_PEM.as_bytes()] {
            let file = read_chain(set);
            assert!(!file.ordered && file.certificates.len() == 2 && file.problems.is_empty());
        }
    }

    #[test]
    fn what_no_server_reads_as_it_stands_is_no_chain() {
        assert_eq!(sent(&serde_json::to_string(PEM).unwrap()), ["?", "?"]);
        assert_eq!(sent(&PEM.replace('\n', "\n> ").replacen("-----BEGIN", "> -----BEGIN", 1)), ["?", "?"]);
        let wide: Vec<u8> = PEM.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let file = read_chain(&wide);
        assert!(file.certificates.iter().all(|it| it.problem.is_none()) && file.problems[0].contains("UTF-16"));
    }
}
