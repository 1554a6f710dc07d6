//! In: LLDP and EAPOL frames, datagrams of Kerberos and of TLS that runs elsewhere than over TCP. Out: what they say of a
//! device, and that this program does not read them. Bounded: by the cards and devices. Left to others: TLS.

use std::net::{IpAddr, SocketAddr};

use super::event::{Event, Fact, Neighbour};
use super::facts::Evidence;
use crate::capture::FrameRef;
use crate::decode::{Binding, Datagram, ETHERTYPE_LLDP, LinkFrame};
use crate::protocol::lldp::{self, Lldp};
use crate::protocol::other_tls::{self, OtherTls};

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
            self.tell_card(frame.source_mac, frame.at, Fact::OtherTls(other));
        }
    }

    /// Takes a datagram of a protocol that is only recognized.
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
            device.tell(Event { at: datagram.at, server: Some(server), fact: Fact::OtherTls(other) }, limit);
        }
    }

    pub(super) fn kerberos(&mut self, client: IpAddr, server: SocketAddr, at: FrameRef) {
        let limit = self.limits.events_per_device;
        let Some(device) = self.device(client, at) else { return };
        device.kerberos.get_or_insert(at);
        device.tell(Event { at, server: Some(server), fact: Fact::Kerberos }, limit);
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
        self.tell_card(mac, frame.at, Fact::Lldp(Box::new(Neighbour::of(lldp))));
    }

    fn tell_card(&mut self, mac: [u8; 6], at: FrameRef, fact: Fact) {
        let recording = self.recording(at);
        if let Some(card) = self.card(recording, mac) {
            card.tell(at, fact);
        }
    }
}

impl Neighbour {
    fn of(lldp: &Lldp) -> Self {
        Self {
            device_type: lldp.device_type,
            manufacturer: lldp.manufacturer.clone(),
            model: lldp.model.clone(),
            version: lldp.software.clone().or_else(|| lldp.firmware.clone()),
            voice_vlan: lldp.voice_vlan,
        }
    }
}
