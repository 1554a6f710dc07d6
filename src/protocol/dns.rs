//! DNS messages (RFC 1035 section 4, RFC 2782, RFC 3596).
//!
//! In: the payload of a UDP datagram, possibly truncated. Out: questions and answers, as far as names and addresses are
//! concerned. Bounded: names of 255 octets with at most `MAX_POINTERS` compression pointers, which only point
//! backwards; `MAX_RECORDS` records. Left to others: matching answers to questions, and DNS over TCP or TLS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const MAX_NAME: usize = 255;
const MAX_POINTERS: usize = 16;
const MAX_QUESTIONS: u16 = 16;
const MAX_RECORDS: usize = 256;

/// A query or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The ID, which is equal in a query and its response.
    pub id: u16,
    /// Whether it is a response.
    pub response: bool,
    /// The response code: 0 no error, 3 no such name; 0 in queries.
    pub rcode: u8,
    /// Whether it is complete: neither was the datagram truncated, nor did the server set the truncation bit.
    pub complete: bool,
    /// The question section.
    pub questions: Vec<Question>,
    /// The answer section.
    pub answers: Vec<Answer>,
    /// The additional section, for example addresses of SRV targets.
    pub additional: Vec<Answer>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name in lower case, without the final dot; unprintable octets as `\DDD`.
    pub name: String,
    /// The record type as a number.
    pub kind: u16,
}

impl Question {
    /// The name of the record type, or `TYPE123` if it has none here.
    pub fn kind_name(&self) -> String {
        kind_name(self.kind)
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The owner name, written as in a [`Question`].
    pub name: String,
    /// The record type as a number.
    pub kind: u16,
    /// The content.
    pub data: RecordData,
}

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// A or AAAA: an address.
    A(IpAddr),
    /// CNAME: another name.
    Cname(String),
    /// SRV: a server of a service.
    Srv {
        /// The priority; lower ones are tried first.
        priority: u16,
        /// The weight among servers of equal priority.
        weight: u16,
        /// The port.
        port: u16,
        /// The server's name.
        target: String,
    },
    /// Anything else.
    Other,
}

/// The name of a record type.
pub fn kind_name(kind: u16) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        35 => "NAPTR",
        65 => "HTTPS",
        255 => "ANY",
        _ => return format!("TYPE{kind}"),
    };
    name.to_owned()
}

/// Reads a message; `None` if its header or questions cannot be read. Of a message truncated later, the complete part
/// is returned.
pub fn parse(payload: &[u8]) -> Option<Dns> {
    let mut reader = Reader { message: payload, at: 0 };
    let (id, flags) = (reader.u16()?, reader.u16()?);
    let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
    let [questions, answers, authorities, additional] = counts;
    // A query with answers but no question, or with many questions, is not DNS.
    if questions > MAX_QUESTIONS {
        return None;
    }
    let [_, code] = (flags & 0x000F).to_be_bytes();
    let mut dns = Dns {
        id,
        response: flags & 0x8000 != 0,
        rcode: code,
        complete: flags & 0x0200 == 0,
        questions: (0..questions).map(|_| reader.question()).collect::<Option<_>>()?,
        answers: Vec::new(),
        additional: Vec::new(),
    };
    let mut read = 0;
    for (section, count) in
        [(Section::Answer, answers), (Section::Authority, authorities), (Section::Additional, additional)]
    {
        for _ in 0..count {
            read += 1;
            let record = if read > MAX_RECORDS { None } else { reader.record() };
            let Some(record) = record else {
                dns.complete = false;
                return Some(dns);
            };
            match section {
                Section::Answer => dns.answers.push(record),
                Section::Additional => dns.additional.push(record),
                Section::Authority => {}
            }
        }
    }
    Some(dns)
}

#[derive(Clone, Copy)]
enum Section {
    Answer,
    Authority,
    Additional,
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = *self.message.get(self.at..)?.first_chunk()?;
        self.at += N;
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn question(&mut self) -> Option<Question> {
        let name = self.name()?;
        let kind = self.u16()?;
        self.u16()?;
        Some(Question { name, kind })
    }

    /// `NAME TYPE CLASS TTL RDLENGTH RDATA`
    fn record(&mut self) -> Option<Answer> {
        let name = self.name()?;
        let kind = self.u16()?;
        self.take::<6>()?;
        let length = usize::from(self.u16()?);
        let end = self.at.checked_add(length).filter(|end| *end <= self.message.len())?;
        let data = match (kind, length) {
            (1, 4) => RecordData::A(IpAddr::V4(Ipv4Addr::from(self.take::<4>()?))),
            (28, 16) => RecordData::A(IpAddr::V6(Ipv6Addr::from(self.take::<16>()?))),
            (5, _) => RecordData::Cname(self.name()?),
            (33, _) => {
                RecordData::Srv { priority: self.u16()?, weight: self.u16()?, port: self.u16()?, target: self.name()? }
            }
            _ => RecordData::Other,
        };
        self.at = end;
        Some(Answer { name, kind, data })
    }

    /// Reads a name, which may be compressed (RFC 1035 section 4.1.4), and moves past it.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let (mut at, mut behind, mut pointers, mut octets) = (self.at, None, 0, 0);
        loop {
            let length = *self.message.get(at)?;
            match length {
                0 => break,
                1..=63 => {
                    let label = self.message.get(at + 1..at + 1 + usize::from(length))?;
                    at += 1 + label.len();
                    octets += 1 + label.len();
                    if octets > MAX_NAME {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push('.');
                    }
                    label.iter().for_each(|octet| write_octet(*octet, &mut name));
                }
                0xC0.. => {
                    let low = *self.message.get(at + 1)?;
                    let target = usize::from(u16::from_be_bytes([length & 0x3F, low]));
                    behind.get_or_insert(at + 2);
                    pointers += 1;
                    // A pointer must point backwards, to a prior occurrence of the name.
                    if target >= at || pointers > MAX_POINTERS {
                        return None;
                    }
                    at = target;
                }
                _ => return None,
            }
        }
        self.at = behind.unwrap_or(at + 1);
        Some(name)
    }
}

/// Writes an octet in lower case, escaped as in a master file (RFC 1035 section 5.1).
fn write_octet(octet: u8, name: &mut String) {
    match octet {
        b'.' | b'\\' => name.extend(['\\', char::from(octet)]),
        0x21..=0x7E => name.push(char::from(octet.to_ascii_lowercase())),
        _ => {
            let digit = |value: u8| char::from(b'0' + value % 10);
            name.extend(['\\', digit(octet / 100), digit(octet / 10), digit(octet)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] = include_bytes!("../../tests/data/protocol/dns-srv-query.bin");
    const ANSWER: &[u8] = include_bytes!("../../tests/data/protocol/dns-srv-answer.bin");

    #[test]
    fn a_service_and_its_addresses() {
        let query = parse(QUERY).unwrap();
        let question = Question { name: "_sipinternaltls._tcp.contoso.test".into(), kind: 33 };
        assert_eq!((query.id, query.response, query.complete), (0x1234, false, true));
        assert_eq!((question.kind_name().as_str(), query.questions), ("SRV", vec![question.clone()]));
        let answer = parse(ANSWER).unwrap();
        assert_eq!((answer.id, answer.response, answer.rcode, answer.complete), (0x1234, true, 0, true));
        assert_eq!(answer.questions, [question]);
        let mut servers: Vec<_> = answer
            .answers
            .iter()
            .map(|record| match &record.data {
                RecordData::Srv { priority, weight, port, target } => (*priority, *weight, *port, target.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        servers.sort_unstable();
        assert_eq!(servers, [(0, 10, 5061, "pool.contoso.test"), (5, 0, 443, "alt.contoso.test")]);
        let additional: Vec<_> = answer.additional.into_iter().map(|record| (record.name, record.data)).collect();
        assert_eq!(
            additional,
            [
                ("pool.contoso.test".to_owned(), RecordData::A("192.0.2.10".parse().unwrap())),
                ("pool.contoso.test".to_owned(), RecordData::A("2001:db8::10".parse().unwrap())),
                ("alt.contoso.test".to_owned(), RecordData::Cname("pool.contoso.test".into())),
                ("alt.contoso.test".to_owned(), RecordData::Other),
            ]
        );
        let missing = parse(include_bytes!("../../tests/data/protocol/dns-nxdomain.bin")).unwrap();
        assert_eq!((missing.rcode, missing.answers.len(), missing.questions[0].name.as_str()), (3, 0, "nowhere.test"));
    }

    #[test]
    fn of_a_cut_message_the_whole_records_remain() {
        let whole = parse(ANSWER).unwrap();
        for end in 0..ANSWER.len() {
            let Some(cut) = parse(&ANSWER[..end]) else {
                assert!(end < QUERY.len(), "{end}");
                continue;
            };
            assert!(!cut.complete);
            assert_eq!(cut.answers, whole.answers[..cut.answers.len()]);
            assert_eq!(cut.additional, whole.additional[..cut.additional.len()]);
        }
    }

    #[test]
    fn names_that_loop_or_hide_something() {
        let message = |name: &[u8]| [&[0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], name, &[0, 1, 0, 1]].concat();
        let name = |bytes: &[u8]| parse(&message(bytes)).map(|dns| dns.questions[0].name.clone());
        assert_eq!(name(b"\x03a.b\x02\\\x07\x02\xC3\xA9\0").as_deref(), Some("a\\.b.\\\\\\007.\\195\\169"));
        assert_eq!(name(&[0]).as_deref(), Some(""));
        assert_eq!(name(&[0xC0, 12]), None, "a pointer to itself");
        assert_eq!(name(&[1, b'a', 0xC0, 12]), None, "a pointer into a loop");
        assert_eq!(name(&[0xC0, 200]), None, "a pointer past the end");
        assert_eq!(name(&[[63].as_slice(), &[b'a'; 63]].concat().repeat(5)), None, "longer than a name may be");
        assert_eq!(parse(&[0xFF; 500]), None);
    }
}
