//! In: the frames of a capture. Out: its TLS connections, each direction with its bytes in order and where its records
//! are, so that a fault can aim. Left to others: what to hit. The captures as recorded have no gaps, so none is handled.

use std::collections::BTreeMap;
use std::ops::Range;

use super::disorder::clients;
use super::frame::{Direction, Frame, Segment};

/// ContentType of an alert and of application data, RFC 8446 section 5.1.
const ALERT: u8 = 21;
const APPLICATION_DATA: u8 = 23;
const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
/// HandshakeType of a Certificate, RFC 8446 section 4.
const CERTIFICATE: u8 = 11;

/// One direction of a connection.
pub(crate) struct Stream {
    pub(crate) direction: Direction,
    /// Sequence number of the first byte.
    first: u32,
    bytes: Vec<u8>,
    /// Records: type and place.
    records: Vec<(u8, Range<usize>)>,
}

/// A TLS connection.
pub(crate) struct Connection {
    pub(crate) client: Stream,
    pub(crate) server: Stream,
}

/// The TLS connections of a capture in the order of their clients' SYNs.
pub(crate) fn connections(frames: &[Frame]) -> Vec<Connection> {
    let both = |(from, to): Direction| (Stream::read(frames, (from, to)), Stream::read(frames, (to, from)));
    let mut clients = clients(frames);
    clients.dedup();
    let connections = clients.into_iter().map(both).map(|(client, server)| Connection { client, server });
    connections.filter(|connection| matches!(connection.server.bytes.as_slice(), [HANDSHAKE | ALERT, 3, ..])).collect()
}

impl Stream {
    fn read(frames: &[Frame], direction: Direction) -> Self {
        let segments = || frames.iter().filter_map(Frame::segment).filter(|segment| segment.direction() == direction);
        let first = segments().find(|segment| segment.tcp.syn).map_or(0, Segment::first);
        let mut by_place = BTreeMap::new();
        for segment in segments().filter(|segment| !segment.payload.is_empty()) {
            let place = usize::try_from(segment.first().wrapping_sub(first)).unwrap();
            by_place.entry(place).or_insert(&segment.payload);
        }
        let mut bytes = Vec::new();
        for (place, payload) in by_place {
            assert!(place <= bytes.len(), "{direction:?} has a gap");
            bytes.extend_from_slice(payload.get(bytes.len() - place..).unwrap_or_default());
        }
        Self { direction, first, records: records(&bytes), bytes }
    }

    /// Where a segment's data is in the stream.
    pub(crate) fn place(&self, segment: &Segment) -> Range<usize> {
        let start = usize::try_from(segment.first().wrapping_sub(self.first)).unwrap();
        start..start + segment.payload.len()
    }

    /// Where the clear-text Certificate message is, including its four header bytes.
    pub(crate) fn certificate(&self) -> Option<Range<usize>> {
        let clear = self.records.iter().take_while(|(kind, _)| *kind == HANDSHAKE);
        let body = |record: &Range<usize>| record.start + 5..record.end;
        let places: Vec<usize> = clear.flat_map(|(_, record)| body(record)).collect();
        let mut at = 0;
        while let Some(&[kind, high, middle, low]) =
            places.get(at..at + 4).map(|four| [0, 1, 2, 3].map(|i| self.bytes[four[i]])).as_ref()
        {
            let end = at + 4 + usize::from(high) * 65_536 + usize::from(middle) * 256 + usize::from(low);
            if kind == CERTIFICATE {
                return Some(places[at]..places.get(end - 1)? + 1);
            }
            at = end;
        }
        None
    }

    /// Whether the side sent an alert.
    pub(crate) fn has_alert(&self) -> bool {
        self.records.iter().any(|(kind, _)| *kind == ALERT)
    }

    /// Whether these bytes are the last of the stream.
    pub(crate) fn ends_with(&self, place: &Range<usize>) -> bool {
        place.end == self.bytes.len()
    }

    /// Whether the side sent application data.
    pub(crate) fn has_data(&self) -> bool {
        self.records.iter().any(|(kind, _)| *kind == APPLICATION_DATA)
    }

    /// Whether these bytes hold a part of the ChangeCipherSpec, or of anything after it.
    pub(crate) fn holds_finish(&self, place: &Range<usize>) -> bool {
        let change = self.records.iter().find(|(kind, _)| *kind == CHANGE_CIPHER_SPEC);
        change.is_some_and(|(_, record)| record.start < place.end)
    }

    /// Whether these bytes hold a part of an alert, or of the first record of application data.
    pub(crate) fn holds_alert_or_first_data(&self, place: &Range<usize>) -> bool {
        let first_data = self.records.iter().find(|(kind, _)| *kind == APPLICATION_DATA);
        let alerts = self.records.iter().filter(|(kind, _)| *kind == ALERT);
        alerts.chain(first_data).any(|(_, record)| record.start < place.end && place.start < record.end)
    }
}

/// The records of a stream, up to the first incomplete one.
fn records(bytes: &[u8]) -> Vec<(u8, Range<usize>)> {
    // A ClientHello in SSLv2 format (RFC 5246 appendix E.2) has two bytes of length and no other header.
    let mut at = if let [0x80, length, 1, ..] = bytes { 2 + usize::from(*length) } else { 0 };
    let mut records = Vec::new();
    while let Some([kind @ CHANGE_CIPHER_SPEC..=APPLICATION_DATA, 3, _, high, low]) = bytes.get(at..at + 5) {
        let end = at + 5 + usize::from(*high) * 256 + usize::from(*low);
        records.push((*kind, at..end));
        at = end;
    }
    records
}
