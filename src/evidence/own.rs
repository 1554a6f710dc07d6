//! In: a device. Out: every value in it that is its own, one after the other, to be taken out or put back: addresses,
//! frames, random values, counts. What is left is what devices alike have in common. Bounded: by the device. Left to
//! others: how the values are kept (`packed`).
//!
//! Each structure is taken apart field by field, so that a new field does not compile before it is decided whether it is a
//! device's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::device::{Device, Naming, Service};
use super::event::{DhcpMessage, Event, Fact};
use super::fetch::Fetch;
use super::handshake::Handshake;
use super::outcome::Ending;
use super::recognition::Recognition;
use super::refused::Refused;
use super::without_tls::WithoutTls;
use crate::capture::FrameRef;
use crate::flow::{Both, Opening, Stall, Undelivered};
use crate::protocol::tls;

/// Takes values that are a device's own, in the order in which they come.
pub(super) trait Visitor {
    fn frame(&mut self, at: &mut FrameRef);
    fn count(&mut self, count: &mut u64);
    /// The number of a TCP connection.
    fn stream(&mut self, stream: &mut u64);
    fn signed(&mut self, value: &mut i64);
    fn address(&mut self, address: &mut IpAddr);
    fn port(&mut self, port: &mut u16);
    /// Bytes of which only the number is shared.
    fn bytes(&mut self, bytes: &mut [u8]);
}

/// What has values of its own.
pub(super) trait Own {
    fn each_own(&mut self, visitor: &mut impl Visitor);
}

impl Own for FrameRef {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        visitor.frame(self);
    }
}

impl<T: Own> Own for Option<T> {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        if let Some(value) = self {
            value.each_own(visitor);
        }
    }
}

impl<T: Own> Own for Vec<T> {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        self.iter_mut().for_each(|value| value.each_own(visitor));
    }
}

impl<T: Own> Own for Both<T> {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { client, server } = self;
        client.each_own(visitor);
        server.each_own(visitor);
    }
}

impl Own for (FrameRef, FrameRef) {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        visitor.frame(&mut self.0);
        visitor.frame(&mut self.1);
    }
}

/// The device's values; those of its handshakes are not among them.
impl Own for Device {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self {
            recording: _,
            capture: _,
            address,
            addresses,
            mac,
            frames,
            recognition,
            names,
            fetches,
            handshakes: _,
            handshakes_total,
            refused,
            refused_beyond: _,
            without_tls,
            unreadable,
            dropped_incomplete: _,
            services,
            time_asked,
            time_answers,
            kerberos,
            http_errors,
            events,
            connected,
            connected_beyond: _,
            only_connected: _,
            shared_address: _,
            merged: _,
        } = self;
        // Those two first: `Packed` reads them alone.
        frames.each_own(visitor);
        visitor.address(address);
        for (address, first, last) in addresses {
            visitor.address(address);
            visitor.frame(first);
            visitor.frame(last);
        }
        if let Some((mac, at)) = mac {
            visitor.bytes(mac);
            visitor.frame(at);
        }
        recognition.each_own(visitor);
        for Naming { addresses: _, at, is_srv_target: _, by_dhcp: _ } in names.values_mut() {
            at.each_own(visitor);
        }
        fetches.each_own(visitor);
        visitor.count(handshakes_total);
        refused.each_own(visitor);
        without_tls.each_own(visitor);
        if let Some((at, _)) = unreadable {
            visitor.frame(at);
        }
        for Service { at, name: _, domain: _, target: _ } in services {
            visitor.frame(at);
        }
        if let Some((at, count)) = time_asked {
            let mut all = u64::from(*count);
            visitor.frame(at);
            visitor.count(&mut all);
            *count = u32::try_from(all).unwrap_or(u32::MAX);
        }
        for (at, offset) in time_answers {
            visitor.frame(at);
            visitor.signed(offset);
        }
        kerberos.each_own(visitor);
        http_errors.iter_mut().for_each(|(at, _)| visitor.frame(at));
        events.each_own(visitor);
        connected.values_mut().for_each(|at| visitor.frame(at));
    }
}

impl Own for Recognition {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { lync, other } = self;
        lync.iter_mut().chain(other).for_each(|(at, _)| visitor.frame(at));
    }
}

impl Own for Fetch {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self {
            via: _,
            stream,
            server: _,
            method: _,
            url: _,
            status: _,
            content_type: _,
            certificates: _,
            complete: _,
            gap: _,
            joined: _,
            redirect: _,
            problem: _,
            request,
            last,
        } = self;
        visitor.stream(stream);
        visitor.frame(request);
        last.each_own(visitor);
    }
}

impl Own for Refused {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { stream, server: _, opening, reset, repeats, last } = self;
        let Opening { syn, last_syn, syns: _, syn_ack } = opening;
        visitor.stream(stream);
        syn.each_own(visitor);
        last_syn.each_own(visitor);
        syn_ack.each_own(visitor);
        reset.each_own(visitor);
        visitor.count(repeats);
        visitor.frame(last);
    }
}

impl Own for WithoutTls {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { server: _, what: _, count, frames } = self;
        visitor.count(count);
        frames.each_own(visitor);
    }
}

impl Own for Event {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { at, server: _, fact } = self;
        visitor.frame(at);
        match fact {
            Fact::Dhcp(message) => message.each_own(visitor),
            Fact::Dns(_)
            | Fact::TimeAsked
            | Fact::TimeTold
            | Fact::Ldap(_)
            | Fact::Http(_)
            | Fact::Kerberos
            | Fact::Lldp(_)
            | Fact::OtherTls(_) => {}
        }
    }
}

impl Own for DhcpMessage {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { message: _, is_ack: _, lease, vendor_class: _, web_service: _, sip_server: _, host_name } = self;
        if let Some(host_name) = host_name {
            visitor.bytes(host_name);
        }
        if let Some(lease) = lease {
            let mut address = IpAddr::V4(*lease);
            visitor.address(&mut address);
            if let IpAddr::V4(address) = address {
                *lease = address;
            } else {
                *lease = Ipv4Addr::UNSPECIFIED;
            }
        }
    }
}

impl Own for Handshake {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self {
            stream,
            client,
            server: _,
            tls,
            sent: _,
            client_sent: _,
            ending,
            first,
            last,
            two_sided: _,
            opened: _,
            conflict,
            history: _,
            repeats,
            repeated_from,
            repeated_until,
            also_seen,
        } = self;
        visitor.frame(first);
        visitor.stream(stream);
        own_socket(client, visitor);
        tls.each_own(visitor);
        ending.each_own(visitor);
        visitor.frame(last);
        conflict.each_own(visitor);
        visitor.count(repeats);
        visitor.frame(repeated_from);
        visitor.frame(repeated_until);
        for (stream, at) in also_seen {
            visitor.stream(stream);
            visitor.frame(at);
        }
    }
}

fn own_socket(socket: &mut SocketAddr, visitor: &mut impl Visitor) {
    let (mut address, mut port) = (socket.ip(), socket.port());
    visitor.address(&mut address);
    visitor.port(&mut port);
    socket.set_ip(address);
    socket.set_port(port);
}

impl Own for Ending {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { outcome: _, by: _, how: _, at, stall, undelivered } = self;
        at.each_own(visitor);
        if let Some(Stall { after, until, nanos }) = stall {
            visitor.frame(after);
            until.each_own(visitor);
            visitor.signed(nanos);
        }
        if let Some((_, Undelivered { first, again_from, last, again: _, acknowledged })) = undelivered {
            [first, again_from, last, acknowledged].into_iter().for_each(|at| visitor.frame(at));
        }
    }
}

impl Own for tls::Handshake {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self {
            tunnel_to: _,
            client_hello,
            hello_retry,
            server_hello,
            server_key_exchange,
            certificates,
            stapled,
            certificate_request,
            server_hello_done,
            client_key_exchange,
            finished,
            change_cipher_spec,
            alerts,
            encrypted_alert,
            data,
            history,
            holes,
            overlong,
            foreign,
            decrypted: _,
            unread: _,
            undecrypted,
            renegotiation,
            went_on,
        } = self;
        if let Some(hello) = client_hello {
            own_client_hello(hello, visitor);
        }
        hello_retry.each_own(visitor);
        server_hello.each_own(visitor);
        if let Some(tls::ServerKeyExchange { at, group: _, signature: _ }) = server_key_exchange {
            visitor.frame(at);
        }
        certificates.each_own(visitor);
        for answer in stapled {
            visitor.frame(&mut answer.at);
        }
        if let Some(tls::CertificateRequest { authorities: _, bytes: _, at }) = certificate_request {
            visitor.frame(at);
        }
        server_hello_done.each_own(visitor);
        client_key_exchange.each_own(visitor);
        finished.each_own(visitor);
        change_cipher_spec.each_own(visitor);
        for tls::Alert { from: _, fatal: _, code: _, at } in alerts {
            visitor.frame(at);
        }
        encrypted_alert.each_own(visitor);
        data.each_own(visitor);
        history.iter_mut().for_each(|(_, at)| visitor.frame(at));
        for tls::Hole { side: _, at, missing: _, cut: _, in_clear: _ } in holes {
            visitor.frame(at);
        }
        if let Some(tls::Overlong { from: _, length: _, at }) = overlong {
            visitor.frame(at);
        }
        if let Some(tls::Foreign { at, text: _ }) = foreign {
            visitor.frame(at);
        }
        if let Some((_, at)) = undecrypted {
            visitor.frame(at);
        }
        renegotiation.each_own(visitor);
        went_on.each_own(visitor);
    }
}

fn own_client_hello(hello: &mut tls::ClientHello, visitor: &mut impl Visitor) {
    let tls::ClientHello {
        at,
        version: _,
        sslv2: _,
        random,
        session_id,
        cipher_suites: _,
        server_name: _,
        offers_early_data: _,
        versions: _,
        groups: _,
        key_shares: _,
        alpn: _,
        signature_algorithms: _,
        certificate_signatures: _,
        extensions: _,
        renegotiation_info: _,
        stack: _,
        point_formats: _,
        compressions: _,
        besides: _,
    } = hello;
    visitor.frame(at);
    visitor.bytes(random);
    visitor.bytes(session_id);
}

impl Own for tls::ServerHello {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self {
            at,
            version: _,
            random,
            session_id,
            cipher_suite: _,
            key_share: _,
            alpn: _,
            raw_public_keys: _,
            resumes_psk: _,
            encrypt_then_mac: _,
            extended_master_secret: _,
            extensions: _,
            renegotiation_info: _,
            compression: _,
            retry: _,
        } = self;
        visitor.frame(at);
        visitor.bytes(random);
        visitor.bytes(session_id);
    }
}

impl Own for tls::CertificateList {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self {
            certificates: _,
            own: _,
            complete: _,
            empty_entries: _,
            bytes: _,
            raw_public_key: _,
            missing: _,
            first,
            last,
        } = self;
        visitor.frame(first);
        visitor.frame(last);
    }
}

impl Own for tls::Data {
    fn each_own(&mut self, visitor: &mut impl Visitor) {
        let Self { records, first, last } = self;
        visitor.count(records);
        first.each_own(visitor);
        last.each_own(visitor);
    }
}
