//! In: datagrams (DHCP, DNS, NTP) and ARP. Out: who a device is, what names it was given, what its clock may be.
//! Bounded: `MAX_CARDS` network cards, each with `MAX_NAMES` names and events. Left to others: certificates.

use std::net::{IpAddr, SocketAddr};

use super::card::Card;
use super::device::MAX_NAMES;
use super::event::{DhcpMessage, DnsAnswer, Event, Fact};
use super::facts::Evidence;
use super::text::MAX_LINE;
use crate::capture::FrameRef;
use crate::decode::{Binding, Datagram};
use crate::protocol::dhcp::{self, Dhcp};
use crate::protocol::dns::{self, Dns, RecordData};
use crate::protocol::ntp;

const MAX_CARDS: usize = 65_536;
/// Answers to one question that are kept.
const MAX_ANSWERS: usize = 32;

impl Evidence {
    /// Takes a UDP datagram.
    pub fn datagram(&mut self, datagram: &Datagram<'_>) {
        match (datagram.source.port(), datagram.destination.port()) {
            (67 | 68, 67 | 68) => {
                if let Some(dhcp) = dhcp::parse(datagram.payload) {
                    self.dhcp(&dhcp, datagram.at);
                }
            }
            (53, _) => {
                if let Some(dns) = dns::parse(datagram.payload).filter(|dns| dns.response) {
                    self.dns(&dns, datagram.destination.ip(), datagram.at);
                }
            }
            (source, destination) if source == 123 || destination == 123 => self.ntp_datagram(datagram),
            (_, 88) => self.kerberos(datagram.source.ip(), datagram.destination, datagram.at),
            _ => self.other_datagram(datagram),
        }
    }

    /// Takes an ARP packet.
    pub fn binding(&mut self, binding: Binding) {
        let recording = self.recording(binding.at);
        if let Some(card) = self.card(recording, binding.mac) {
            card.bind(binding.address, false, binding.at);
        }
    }

    pub(super) fn card(&mut self, recording: u32, mac: [u8; 6]) -> Option<&mut Card> {
        if self.cards.len() >= MAX_CARDS && !self.cards.contains_key(&(recording, mac)) {
            return None;
        }
        Some(self.cards.entry((recording, mac)).or_default())
    }

    fn dhcp(&mut self, dhcp: &Dhcp, at: FrameRef) {
        let lync = dhcp.vendor_class.as_deref().filter(|class| matches!(*class, "MS-UC-Client" | "CPE-OCPHONE"));
        let lync = lync.map(|class| format!("DHCP vendor class {class}"));
        let recording = self.recording(at);
        let Some(card) = self.card(recording, dhcp.client_mac) else { return };
        if dhcp.op == 1 {
            card.vendor_class = dhcp.vendor_class.clone();
        }
        let message = DhcpMessage::of(dhcp, card.vendor_class.as_deref());
        let acknowledged = message.is_ack;
        if let Some(what) = &lync {
            card.recognition.lync(at, what);
        }
        let identifier = dhcp.vendor_options.as_ref().and_then(|options| options.uc_identifier.as_deref());
        if identifier == Some("MS-UC-Client") {
            card.recognition.lync(at, "DHCP option 43 with the UCIdentifier MS-UC-Client");
        }
        card.recognition.maker("DHCP host name", dhcp.host_name.as_deref(), at);
        card.recognition.maker("DHCP vendor class", dhcp.vendor_class.as_deref(), at);
        let named = dhcp.vendor_options.as_ref().and_then(|options| options.web_server.clone());
        for name in named.into_iter().chain(dhcp.sip_server.clone()) {
            if card.names.len() < MAX_NAMES {
                card.names.push((name.to_ascii_lowercase(), at));
            }
        }
        if let Some(address) = dhcp.your_address.or(dhcp.client_address).filter(|_| acknowledged) {
            card.bind(IpAddr::V4(address), true, at);
        }
        card.tell(at, Fact::Dhcp(Box::new(message)));
    }

    fn dns(&mut self, dns: &Dns, client: IpAddr, at: FrameRef) {
        let limit = self.limits.events_per_device;
        let Some(device) = self.device(client, at) else { return };
        for answer in &dns.additional {
            if let RecordData::A(address) = answer.data {
                device.name(&answer.name, at, |naming| naming.addresses.push(address));
            }
        }
        let told = dns.answers.iter().filter_map(|answer| match &answer.data {
            RecordData::A(address) => Some(address.to_string()),
            RecordData::Srv { port, target, .. } => Some(format!("{target}:{port}")),
            RecordData::Cname(_) | RecordData::Other => None,
        });
        let answers = few(told);
        for question in &dns.questions {
            let name = question.name.to_ascii_lowercase();
            if name.starts_with("ucupdates-r2.") {
                device.recognition.lync(at, "DNS query for ucupdates-r2");
            }
            for answer in &dns.answers {
                match &answer.data {
                    // The address of an alias is the address of the name asked for, too.
                    RecordData::A(address) => device.name(&name, at, |naming| naming.addresses.push(*address)),
                    RecordData::Srv { target, .. } => {
                        device.name(target, at, |naming| naming.is_srv_target = true);
                        device.service(&name, target, at);
                    }
                    RecordData::Cname(_) | RecordData::Other => {}
                }
            }
            device.name(&name, at, |_| {});
            let answers = answers.clone();
            let fact = DnsAnswer { question: question.kind_name(), name, rcode: dns.rcode, answers };
            device.tell(Event { at, server: None, fact: Fact::Dns(Box::new(fact)) }, limit);
        }
    }

    fn ntp_datagram(&mut self, datagram: &Datagram<'_>) {
        let Some(ntp) = ntp::parse(datagram.payload) else { return };
        let at = datagram.at;
        match (ntp.mode, ntp.transmit) {
            // Mode 3 is a client's question, mode 4 a server's answer (RFC 5905 section 3).
            (3, _) if datagram.destination.port() == 123 => {
                let limit = self.limits.events_per_device;
                let Some(device) = self.device(datagram.source.ip(), at) else { return };
                let (_, count) = device.time_asked.get_or_insert((at, 0));
                *count += 1;
                device.tell(Event { at, server: Some(datagram.destination), fact: Fact::TimeAsked }, limit);
            }
            (4, Some(told)) if ntp.tells_time() => {
                self.ntp(datagram.destination.ip(), datagram.source, told.since(at.time), at);
            }
            _ => {}
        }
    }

    fn ntp(&mut self, client: IpAddr, server: SocketAddr, offset: i64, at: FrameRef) {
        let limit = self.limits.events_per_device;
        let Some(device) = self.device(client, at) else { return };
        if device.time_answers.len() < 16 {
            device.time_answers.push((at, offset));
        }
        device.tell(Event { at, server: Some(server), fact: Fact::TimeTold }, limit);
    }
}

/// The first answers to a question, up to the one that exceeds what is kept.
fn few(answers: impl Iterator<Item = String>) -> Vec<String> {
    let mut bytes = 0;
    let fits = |answer: &String| {
        let room = bytes <= MAX_LINE;
        bytes += answer.len();
        room
    };
    answers.take(MAX_ANSWERS).take_while(fits).collect()
}

impl DhcpMessage {
    /// A message of a client that last called itself `vendor_class`; servers do not repeat it.
    fn of(dhcp: &Dhcp, vendor_class: Option<&str>) -> Self {
        // RFC 2132 section 9.6.
        let is_ack = dhcp.message_type == Some(5);
        let web_service = dhcp.vendor_options.as_ref().and_then(|options| {
            let path = options.cert_prov_path.as_deref().unwrap_or_default();
            Some(format!("{}{path}", options.web_server.as_ref()?))
        });
        Self {
            message: dhcp.message_name(),
            is_ack,
            lease: dhcp.your_address.filter(|_| is_ack),
            vendor_class: dhcp.vendor_class.as_deref().or(vendor_class).map(str::to_owned),
            web_service,
            sip_server: dhcp.sip_server.clone(),
            host_name: dhcp.host_name.as_ref().map(|name| name.as_bytes().into()),
        }
    }
}
