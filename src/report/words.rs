//! In: values. Out: the words that several reports and renderers use for them. Bounded: by the values.

/// `frame 7`, `frames 7–9`.
pub(crate) fn frames(first: u64, last: u64) -> String {
    if last > first { format!("frames {first}–{last}") } else { format!("frame {first}") }
}

/// `1 handshake`, `2 handshakes`.
pub(crate) fn counted(count: impl TryInto<u64>, thing: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {thing}"),
        several => format!("{several} {thing}s"),
    }
}
