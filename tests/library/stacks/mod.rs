//! TLS stacks: the recordings of what each does with each defect, and what is made of them.
//!
//! In: `tests/stacks`, with the truth beside each recording. Out: failed tests where a stack is not known by its hello.
//! Left to others: that the data say what the recordings say (`tests/repository/stacks.rs`).

mod confusion;
mod recordings;

use std::collections::BTreeMap;

use chaingap::report::Device;
use recordings::recordings;

#[test]
fn a_stack_is_known_by_its_hello() {
    let mut known: BTreeMap<String, u32> = BTreeMap::new();
    for recording in support::share("stacks", recordings()) {
        // As a server, a stack met the recorder's own client.
        if recording.is_of_server() {
            continue;
        }
        let report = recording.report(recording.analyzer());
        for handshake in report.devices.iter().flat_map(|device: &Device| &device.handshakes) {
            let stack = handshake.client_stack.as_ref().map(|stack| (stack.name.as_str(), stack.versions.as_str()));
            assert_eq!(stack, Some((recording.name(), recording.version())), "{}: {}", recording.file, handshake.id);
            *known.entry(recording.stack().to_owned()).or_default() += 1;
        }
    }
    let all = !support::everything() || known.len() >= 12 && known.values().all(|count| *count >= 80);
    assert!(all && !known.is_empty(), "{known:?}");
}
