//! Every cap of the program in one place, each with its reason.
//!
//! In: nothing. Out: [`Limits`]. What a cap drops is counted and said in the report.

/// How much may be kept, so that memory depends on this and not on the capture.
#[derive(Clone, Debug)]
pub struct Limits {
    /// IP packets of which fragments wait for others, or are kept to know copies by. A capture has a few at a time.
    pub fragmented_packets: usize,
    /// Bytes of those fragments: some hundred packets of the greatest length.
    pub fragment_bytes: usize,
    /// Nanoseconds of capture time for which fragments wait, from the first; as long as Linux lets them wait
    /// (`ipfrag_time`).
    pub fragment_nanos: i64,
    /// TCP connections followed at once. A phone holds a handful; a mirror port of a site some ten thousand. One that
    /// waits within its handshake takes some 4 KiB.
    pub flows: usize,
    /// Ends of connections remembered, so that a late segment does not look like a new connection. Late is seconds.
    pub ended_flows: usize,
    /// Bytes held per direction while an earlier segment is awaited. A certificate chain with room to spare; beyond it
    /// the earlier segment is taken as lost.
    pub out_of_order_bytes: usize,
    /// Bytes held like that and kept for comparing copies, of all connections. Beyond it a connection that adds to them
    /// takes what is missing for lost, and compares no more.
    pub stream_bytes: usize,
    /// Bytes of one handshake message. The largest legal one has 16 MiB; chains and issuer lists stay far below this.
    pub handshake_message_bytes: usize,
    /// Bytes of messages and bodies that are under way, of all connections: some thousand certificate chains at once.
    /// Beyond it, those that are longer than [`message_bytes_when_crowded`](Self::message_bytes_when_crowded) are not
    /// kept.
    pub messages_bytes: usize,
    /// Bytes of one message or body that are kept where there are too many; a hello fits.
    pub message_bytes_when_crowded: usize,
    /// Nanoseconds of capture time for which a connection that has ended is kept for late segments.
    pub linger_nanos: i64,
    /// Connections that have ended and are kept for late segments; of more than these the first to end goes first.
    pub lingering_flows: usize,
    /// Nanoseconds after which an idle connection may be forgotten when there are too many.
    pub idle_nanos: i64,
    /// Handshakes of one device that are kept one by one; further ones are counted with those they resemble.
    pub handshakes_per_device: usize,
    /// Handshakes of all devices that are kept one by one. Beyond it those of one device that are alike are counted from
    /// the second on, so that many devices take little more room than few.
    pub handshakes: usize,
    /// Events (DNS, HTTP, …) of one device that are kept.
    pub events_per_device: usize,
    /// Devices kept. One with a handshake takes some 25 KiB until the report is written, most of it the report.
    pub devices: usize,
    /// Certificates kept: those of CAs, and of others a quarter as many, since they complete no chain. A site has some
    /// dozens of CAs; an uplink to the Internet shows some thousand servers an hour. One takes some 14 KiB until the report
    /// is written. What a handshake or a download showed beyond that is kept with it, half as many in all.
    pub certificates: usize,
    /// Steps of one path search. A real chain takes fewer than ten.
    pub path_steps: usize,
}

impl Limits {
    /// Bytes that the default limits are made for: with as many connections, devices and handshakes as they allow, all of
    /// the ordinary kind, no more is taken. Less is the rule by far.
    pub const DEFAULT_BYTES: u64 = 256 << 20;
    /// Below so many bytes nothing useful is left.
    pub const LEAST_BYTES: u64 = 16 << 20;

    /// The limits with which reading takes about so many bytes at most: what is kept of all connections and devices
    /// grows and shrinks with them, what one connection or device may need does not.
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
            devices: share(all.devices),
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
            flows: 40_960,
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
            devices: 8_192,
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
        assert_eq!((half.flows, half.devices, half.handshakes), (all.flows / 2, all.devices / 2, all.handshakes / 2));
        assert_eq!((half.stream_bytes, half.messages_bytes), (all.stream_bytes / 2, all.messages_bytes / 2));
        assert_eq!(half.handshake_message_bytes, all.handshake_message_bytes);
        assert!(Limits::within(0).flows > 1_000);
    }
}
