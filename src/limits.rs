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
    /// TCP connections followed at once. A phone holds a handful; a mirror port of a site some ten thousand.
    pub flows: usize,
    /// Ends of connections remembered, so that a late segment does not look like a new connection. Late is seconds.
    pub ended_flows: usize,
    /// Bytes held per direction while an earlier segment is awaited. A certificate chain with room to spare; beyond it
    /// the earlier segment is taken as lost.
    pub out_of_order_bytes: usize,
    /// Bytes of one handshake message. The largest legal one has 16 MiB; chains and issuer lists stay far below this.
    pub handshake_message_bytes: usize,
    /// Nanoseconds of capture time for which a connection that has ended is kept for late segments.
    pub linger_nanos: i64,
    /// Nanoseconds after which an idle connection may be forgotten when there are too many.
    pub idle_nanos: i64,
    /// Handshakes of one device that are kept one by one; further ones are counted with those they resemble.
    pub handshakes_per_device: usize,
    /// Events (DNS, HTTP, …) of one device that are kept.
    pub events_per_device: usize,
    /// Devices kept.
    pub devices: usize,
    /// Steps of one path search. A real chain takes fewer than ten.
    pub path_steps: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fragmented_packets: 1024,
            fragment_bytes: 8 * 1024 * 1024,
            fragment_nanos: 30_000_000_000,
            flows: 262_144,
            ended_flows: 16_384,
            out_of_order_bytes: 256 * 1024,
            handshake_message_bytes: 1024 * 1024,
            linger_nanos: 5_000_000_000,
            idle_nanos: 120_000_000_000,
            handshakes_per_device: 64,
            events_per_device: 256,
            devices: 65_536,
            path_steps: 20_000,
        }
    }
}
