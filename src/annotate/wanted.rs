//! In: a report and the path of a capture. Out: what to look for in that capture. Bounded: by the report.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use crate::capture::Frame;
use crate::decode::{Decoder, Packet, Segment};
use crate::render::printable;
use crate::report::{Device, Report};

/// A segment in a frame that the evidence cites: the frame, and the segment's ends.
pub(super) type Cited = (u64, SocketAddr, SocketAddr);

/// What to look for in a capture.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// What the evidence says, by frame.
    pub(super) comments: BTreeMap<u64, Vec<String>>,
    /// Other frames of the story.
    pub(super) frames: BTreeSet<u64>,
    /// The endpoints of handshakes, and of other connections that evidence is part of.
    connections: BTreeSet<(SocketAddr, SocketAddr)>,
    /// Fetches by client and server, with their frames.
    downloads: BTreeMap<(IpAddr, SocketAddr), Vec<RangeInclusive<u64>>>,
    /// Addresses of servers, with the names that clients gave them.
    pub(super) servers: BTreeMap<IpAddr, BTreeSet<String>>,
}

impl Wanted {
    pub(super) fn of(report: &Report, path: &str) -> Self {
        let mut wanted = Self::default();
        let mut concerned = BTreeSet::new();
        for finding in &report.findings {
            for evidence in finding.evidence.iter().filter(|evidence| evidence.capture == path) {
                concerned.extend(finding.device.as_deref());
                if let Some(frame) = evidence.frame {
                    // Frames have other numbers in the excerpt.
                    let comment = format!("{} {}, frame {frame}: {}", finding.code, finding.name, evidence.what);
                    wanted.comments.entry(frame).or_default().push(printable(&comment));
                }
            }
        }
        let of_interest = |device: &&Device| concerned.is_empty() || concerned.contains(device.id.as_str());
        report.devices.iter().filter(of_interest).for_each(|device| wanted.story(device, path));
        wanted
    }

    /// The frames of a device's story.
    fn story(&mut self, device: &Device, path: &str) {
        let events = device.events.iter().filter(|event| event.capture == path).filter_map(|event| event.frame);
        self.frames.extend(events);
        let recognized = device.recognized_by.iter().filter(|sign| sign.capture == path).map(|sign| sign.frame);
        self.frames.extend(recognized);
        for handshake in device.handshakes.iter().filter(|handshake| handshake.capture == path) {
            let ends = (socket(&handshake.client), socket(&handshake.server));
            let (Some(client), Some(server)) = ends else { continue };
            self.connections.insert((client, server));
            let names = self.servers.entry(server.ip()).or_default();
            names.extend(handshake.server_name.iter().filter(|name| is_host_name(name)).cloned());
        }
        let addresses: Vec<IpAddr> = device.addresses.iter().filter_map(|known| known.address.parse().ok()).collect();
        for fetch in device.fetches.iter().filter(|fetch| fetch.capture == path) {
            let Some(server) = socket(&fetch.server) else { continue };
            self.servers.entry(server.ip()).or_default();
            // The last frame of an incomplete fetch is not known.
            let frames = fetch.frame..=fetch.last_frame.unwrap_or(u64::MAX);
            for client in &addresses {
                self.downloads.entry((*client, server)).or_default().push(frames.clone());
            }
        }
    }

    /// The ends of a segment in a frame that the evidence cites.
    pub(super) fn cite(&self, frame: &Frame<'_>, decoder: &mut Decoder, cited: &mut Vec<Cited>) {
        let number = frame.at.number;
        // Every frame is decoded, because fragments of a cited one may come before it.
        decoder.decode(frame, &mut |packet| match packet {
            Packet::Tcp(segment) if self.comments.contains_key(&number) => {
                cited.push((number, segment.source, segment.destination));
            }
            _ => {}
        });
    }

    /// Wants the whole connection or fetch that a piece of evidence is part of, also another client's: its handshake
    /// may show what is wrong with this one's, and a single frame of it shows nothing (D-ANNOTATE-01).
    pub(super) fn around(&mut self, report: &Report, path: &str, (number, source, destination): Cited) {
        let fetches = report.devices.iter().flat_map(|device| &device.fetches).filter(|fetch| fetch.capture == path);
        for fetch in fetches {
            let frames = fetch.frame..=fetch.last_frame.unwrap_or(fetch.frame);
            let (client, server) = match socket(&fetch.server) {
                Some(server) if server == source => (destination, source),
                Some(server) if server == destination => (source, destination),
                _ => continue,
            };
            if frames.contains(&number) {
                return self.downloads.entry((client.ip(), server)).or_default().push(frames);
            }
        }
        self.connections.insert((source, destination));
    }

    /// Whether a segment belongs to a handshake's connection, or to a fetch.
    pub(super) fn has(&self, segment: &Segment<'_>) -> bool {
        let (from, to) = (segment.source, segment.destination);
        let of_download = |client: SocketAddr, server: SocketAddr| {
            let mut frames = self.downloads.get(&(client.ip(), server)).into_iter().flatten();
            frames.any(|frames| frames.contains(&segment.at.number))
        };
        self.connections.contains(&(from, to))
            || self.connections.contains(&(to, from))
            || of_download(from, to)
            || of_download(to, from)
    }
}

/// An endpoint of a report: address, colon, port, without brackets.
fn socket(endpoint: &str) -> Option<SocketAddr> {
    let (address, port) = endpoint.rsplit_once(':')?;
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

/// Whether a name is allowed in a table of hosts.
pub(super) fn is_host_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() <= 255 && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_reports_read_back() {
        assert_eq!(socket("192.0.2.1:443"), Some("192.0.2.1:443".parse().unwrap()));
        assert_eq!(socket("2001:db8::1:443"), Some("[2001:db8::1]:443".parse().unwrap()));
        assert_eq!(socket("nonsense"), None);
    }
}
