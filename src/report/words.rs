//! In: values. Out: the words that several reports and renderers use for them. Bounded: by the values.

/// `1 handshake`, `2 handshakes`.
pub(crate) fn counted(count: impl TryInto<u64>, thing: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {thing}"),
        several => format!("{several} {thing}s"),
    }
}
