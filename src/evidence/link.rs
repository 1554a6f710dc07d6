//! In: LLDP and EAPOL frames, datagrams of Kerberos and of TLS that runs elsewhere than over TCP. Out: what they say of a
//! device, and that this program does not read them. Bounded: `MAX_EVENTS` lines a network card. Left to others: TLS.

use std::net::{IpAddr, SocketAddr};

use super::endpoint::endpoint;
use super::event::Event;
use super::facts::Evidence;
use crate::capture::FrameRef;
use crate::decode::{Binding, Datagram, ETHERTYPE_LLDP, LinkFrame};
use crate::protocol::lldp::{self, Lldp};
use crate::protocol::other_tls::{self, OtherTls};

const MAX_EVENTS: usize = 64;
/// Models of Lync Phone Edition.
const LYNC_MODELS: [&str; 8] = ["cx500", "cx600", "cx700", "cx3000", "6721ip", "6725ip", "hp 4110", "hp 4120"];

impl Evidence {
    /// Takes a frame of a protocol of the link itself.
    pub fn link_frame(&mut self, frame: &LinkFrame<'_>) {
        if frame.ether_type == ETHERTYPE_LLDP {
            if let Some(lldp) = lldp::parse(frame.payload) {
                self.lldp(&lldp, frame);
            }
        } else if let Some(other) = other_tls::eapol(frame.payload) {
            self.note_other_tls(other, frame.at);
            self.tell_card(frame.source_mac, frame.at, "eap", format!("{other}, not analyzed"));
        }
    }

    /// Takes a datagram that no other stage reads.
    pub(super) fn other_datagram(&mut self, datagram: &Datagram<'_>) {
        let (source, destination) = (datagram.source, datagram.destination);
        let Some(other) = other_tls::datagram(source.port(), destination.port(), datagram.payload) else { return };
        self.note_other_tls(other, datagram.at);
        // The hello of a client goes to the port that serves.
        let (client, server) =
            if source.port() < destination.port() { (destination, source) } else { (source, destination) };
        let limit = self.limits.events_per_device;
        if let OtherTls::Quic | OtherTls::Dtls = other
            && let Some(device) = self.device(client.ip(), datagram.at)
        {
            let kind = if other == OtherTls::Quic { "quic" } else { "dtls" };
            let summary = format!("{other} with {}, not analyzed", endpoint(server));
            device.tell(Event { at: datagram.at, kind, server: Some(server), summary }, limit);
        }
    }

    pub(super) fn kerberos(&mut self, client: IpAddr, server: SocketAddr, at: FrameRef) {
        let limit = self.limits.events_per_device;
        let Some(device) = self.device(client, at) else { return };
        device.kerberos.get_or_insert(at);
        device.tell(
            Event { at, kind: "kerberos", server: Some(server), summary: format!("asks {}", endpoint(server)) },
            limit,
        );
    }

    fn note_other_tls(&mut self, other: OtherTls, at: FrameRef) {
        self.other_tls.entry((at.capture, other)).or_insert((at, 0)).1 += 1;
    }

    fn lldp(&mut self, lldp: &Lldp, frame: &LinkFrame<'_>) {
        let mac = lldp.chassis_mac.unwrap_or(frame.source_mac);
        if let Some(address) = lldp.address {
            self.binding(Binding { at: frame.at, mac, address: IpAddr::V4(address) });
        }
        let recording = self.recording(frame.at);
        let Some(card) = self.card(recording, mac) else { return };
        let model = [&lldp.manufacturer, &lldp.model, &lldp.system_description];
        let said: Vec<&str> = model.into_iter().flatten().map(String::as_str).collect();
        let said = said.join(" ");
        let lower = said.to_ascii_lowercase();
        if let Some(model) = LYNC_MODELS.iter().find(|model| lower.contains(*model)) {
            card.recognition.lync(frame.at, &format!("LLDP names the model {}", model.to_uppercase()));
        }
        card.recognition.maker("LLDP", Some(&said), frame.at);
        card.recognition.maker("LLDP system name", lldp.system_name.as_deref(), frame.at);
        self.tell_card(mac, frame.at, "lldp", describe(lldp));
    }

    fn tell_card(&mut self, mac: [u8; 6], at: FrameRef, kind: &'static str, summary: String) {
        let recording = self.recording(at);
        let Some(card) = self.card(recording, mac) else { return };
        if card.events.len() < MAX_EVENTS && !card.events.iter().any(|event| event.summary == summary) {
            card.events.push(Event { at, kind, server: None, summary });
        }
    }
}

fn describe(lldp: &Lldp) -> String {
    let mut parts = Vec::new();
    parts.push(match lldp.device_type {
        Some(1) => "media endpoint, class I".to_owned(),
        Some(2) => "media endpoint, class II".to_owned(),
        Some(3) => "media endpoint, class III (phone)".to_owned(),
        Some(4) => "network connectivity device".to_owned(),
        _ => "LLDP neighbour".to_owned(),
    });
    let made: Vec<&str> = [&lldp.manufacturer, &lldp.model].into_iter().flatten().map(String::as_str).collect();
    if !made.is_empty() {
        parts.push(made.join(" "));
    }
    parts.extend(lldp.software.as_ref().or(lldp.firmware.as_ref()).map(|version| format!("version {version}")));
    parts.extend(lldp.voice_vlan.map(|vlan| format!("voice VLAN {vlan}")));
    parts.join(", ")
}
