//! The limits that hold for a run as a whole, each with its reason. Smaller ones are beside what they bound.
//!
//! In: nothing. Out: [`Limits`]. What a limit drops is counted, and the report says so.

/// The limits. Memory use depends on them, not on the capture.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Fragmented IP packets held at once: incomplete ones, and complete ones kept to recognize duplicates. A capture
    /// has a few at a time.
    pub fragmented_packets: usize,
    /// Bytes of those fragments: room for about a hundred packets of maximum length.
    pub fragment_bytes: usize,
    /// Nanoseconds of capture time after the first fragment until an incomplete packet is dropped; the same as on Linux
    /// (`ipfrag_time`).
    pub fragment_nanos: i64,
    /// TCP connections followed at once. A phone holds a handful, a site's mirror port about ten thousand. A connection
    /// in the middle of its handshake takes about 4 KiB.
    pub flows: usize,
    /// Ended connections remembered, so that a late segment does not look like a new connection. Segments are late by
    /// seconds.
    pub ended_flows: usize,
    /// Bytes held per direction while an earlier segment is awaited: enough for a certificate chain with room to spare.
    /// Beyond it the earlier segment counts as lost.
    pub out_of_order_bytes: usize,
    /// Bytes held that way, or kept to compare retransmissions with, over all connections. Beyond it a connection that
    /// would add to them treats missing bytes as lost and stops comparing (D-FLOW-06).
    pub stream_bytes: usize,
    /// Bytes of one handshake message. The protocol allows 16 MiB; chains and issuer lists stay far below this.
    pub handshake_message_bytes: usize,
    /// Bytes of incomplete messages and bodies over all connections: about a thousand certificate chains at once.
    /// Beyond it, only those up to [`message_bytes_when_crowded`](Self::message_bytes_when_crowded) are kept.
    /// Decided in D-PROTOCOL-01.
    pub messages_bytes: usize,
    /// Bytes of one message or body that are kept when there are too many; a hello fits.
    pub message_bytes_when_crowded: usize,
    /// Nanoseconds of capture time for which an ended connection is kept for late segments.
    pub linger_nanos: i64,
    /// Ended connections kept for late segments; when there are more, the one that ended first is dropped (D-FLOW-04).
    pub lingering_flows: usize,
    /// Nanoseconds after which an idle connection may be forgotten when there are too many.
    pub idle_nanos: i64,
    /// Handshakes of one device that are kept individually; further ones are counted with those they resemble.
    /// Decided in D-EVIDENCE-11.
    pub handshakes_per_device: usize,
    /// Handshakes of all devices that are kept individually. Beyond it, similar handshakes of one device are counted
    /// from the ninth on.
    pub handshakes: usize,
    /// Events (DNS, HTTP, …) of one device that are kept.
    pub events_per_device: usize,
    /// Devices and handshakes that are kept in full at once while captures are read: far more than take turns within
    /// seconds. One takes about 2.5 KiB (D-EVIDENCE-22).
    pub open_handshakes: usize,
    /// Bytes of what is kept of devices and their handshakes. Beyond it no further device is kept, and of the others one
    /// handshake each. What devices have in common is kept once: one with a sign-in takes about 400 bytes, so that a
    /// quarter of a million fit (D-EVIDENCE-22).
    pub evidence_bytes: usize,
    /// CA certificates kept, and a quarter as many others, since those complete no chain. A site has a few dozen CAs;
    /// an Internet uplink shows about a thousand servers an hour. One certificate takes about 14 KiB until the report
    /// is written. Beyond that, certificates are kept with the handshake or fetch that showed them, half as many in all
    /// (D-EVIDENCE-13).
    pub certificates: usize,
    /// Steps of one path search. A real chain takes fewer than ten.
    pub path_steps: usize,
}

impl Limits {
    /// The memory that the default limits allow for: enough for as many ordinary connections, devices and handshakes as
    /// they permit. Most captures take far less.
    pub const DEFAULT_BYTES: u64 = 256 << 20;
    /// With less memory nothing useful can be done.
    pub const LEAST_BYTES: u64 = 16 << 20;

    /// The limits that keep memory use to about this many bytes. Those over all connections and devices scale with it;
    /// those of a single connection or device do not.
    pub fn within(bytes: u64) -> Self {
        let bytes = u128::from(bytes.max(Self::LEAST_BYTES));
        let share = |value: usize| {
            let share = u128::try_from(value).unwrap_or_default() * bytes / u128::from(Self::DEFAULT_BYTES);
            usize::try_from(share).unwrap_or(usize::MAX)
        };
        let all = Self::default();
        Self {
            fragmented_packets: share(all.fragmented_packets),
            fragment_bytes: share(all.fragment_bytes),
            flows: share(all.flows),
            ended_flows: share(all.ended_flows),
            lingering_flows: share(all.lingering_flows),
            stream_bytes: share(all.stream_bytes),
            messages_bytes: share(all.messages_bytes),
            handshakes: share(all.handshakes),
            open_handshakes: share(all.open_handshakes),
            evidence_bytes: share(all.evidence_bytes),
            certificates: share(all.certificates),
            ..all
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fragmented_packets: 1024,
            fragment_bytes: 8 * 1024 * 1024,
            fragment_nanos: 30_000_000_000,
            flows: 24_576,
            ended_flows: 16_384,
            out_of_order_bytes: 256 * 1024,
            stream_bytes: 32 * 1024 * 1024,
            handshake_message_bytes: 1024 * 1024,
            messages_bytes: 32 * 1024 * 1024,
            message_bytes_when_crowded: 4 * 1024,
            linger_nanos: 5_000_000_000,
            lingering_flows: 256,
            idle_nanos: 120_000_000_000,
            handshakes_per_device: 64,
            handshakes: 1024,
            events_per_device: 256,
            open_handshakes: 4_096,
            evidence_bytes: 112 * 1024 * 1024,
            certificates: 8_192,
            path_steps: 20_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limits_are_those_of_their_size() {
        assert_eq!(format!("{:?}", Limits::within(Limits::DEFAULT_BYTES)), format!("{:?}", Limits::default()));
    }

    #[test]
    fn half_the_memory_holds_half_as_many_connections_and_each_as_much() {
        let (half, all) = (Limits::within(Limits::DEFAULT_BYTES / 2), Limits::default());
        assert_eq!(
            (half.flows, half.evidence_bytes, half.handshakes),
            (all.flows / 2, all.evidence_bytes / 2, all.handshakes / 2)
        );
        assert_eq!((half.stream_bytes, half.messages_bytes), (all.stream_bytes / 2, all.messages_bytes / 2));
        assert_eq!(half.handshake_message_bytes, all.handshake_message_bytes);
        assert!(Limits::within(0).flows > 1_000);
    }
}
