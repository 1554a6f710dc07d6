//! Bad captures lead to the same verdicts: every sample capture with its segments disordered, repeated, cut anew,
//! damaged or lost.
//!
//! In: the captures and expectations in `captures/`. The frames are read, changed by a fault, written to memory and
//! analyzed again. Left to others: whether the verdict on the captures as recorded is right; `chaingap check` tells.

mod alerts;
mod company;
mod copies;
mod delivery;
mod disorder;
mod file;
mod frame;
mod interfaces;
mod loss;
mod matrix;
mod mix;
mod moment;
mod noise;
mod partial;
mod presented;
mod ranges;
mod readdress;
mod same;
mod samples;
mod session;
mod stacks;
mod strays;
mod stream;

use chaingap::report::{Device, Report};

use disorder::Late;
use file::{Container, Format};
use frame::Frame;
use loss::{Besides, Part};
use samples::{Recording, SAMPLES, Sample};
use support::{share, share_of};

/// Applies a fault to every sample and expects the same verdicts and findings.
fn same_after(what: &str, fault: impl Fn(&[Frame]) -> Vec<Frame>) {
    let analyze = |sample: &Sample| sample.report_after(&fault);
    same_if(what, analyze);
}

/// Writes every sample in another format and expects the same verdicts and findings.
fn same_as(format: Format) {
    let write = |recording: &Recording| (recording.name.clone(), format.write(&recording.frames));
    same_if("another format", |sample| sample.report(&sample.captures.iter().map(write).collect::<Vec<_>>()));
}

fn same_if(what: &str, analyze: impl Fn(&Sample) -> Report) {
    same_of(what, SAMPLES.iter(), analyze);
}

fn same_of<'s>(what: &str, samples: impl Iterator<Item = &'s Sample>, analyze: impl Fn(&Sample) -> Report) {
    let mut failures = Vec::new();
    for sample in share(what, samples) {
        let (before, after) = (&sample.before, analyze(sample));
        let mut lines = same::differences(before, &after);
        lines.extend(support::broken_promises(&after));
        failures.extend(lines.iter().map(|line| format!("{}: {line}", sample.name)));
    }
    report(what, &failures);
}

fn report(what: &str, failures: &[String]) {
    assert!(failures.is_empty(), "{what}, {} differences:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn as_recorded_every_promise_holds() {
    same_after("nothing", <[Frame]>::to_vec);
}

#[test]
fn neighbours_of_one_direction_reordered() {
    same_after("neighbours exchanged", |frames| disorder::swap(frames, 0));
    same_after("other neighbours exchanged", |frames| disorder::swap(frames, 1));
    same_after("neighbours of 100 bytes exchanged", |frames| disorder::swap(&disorder::recut(frames, 100), 0));
    same_after("other neighbours of 100 bytes exchanged", |frames| disorder::swap(&disorder::recut(frames, 100), 1));
}

#[test]
fn the_close_recorded_before_the_last_data() {
    same_after("FIN before the last data", disorder::close_overtakes);
}

#[test]
fn frames_recorded_twice() {
    same_after("every frame twice", disorder::duplicate);
    same_after("data repeated later", disorder::repeat_later);
}

#[test]
fn stray_segments_that_nobody_believes() {
    same_after("RST", |frames| disorder::stray(frames, |tcp| tcp.rst = true));
    same_after("FIN", |frames| disorder::stray(frames, |tcp| tcp.fin = true));
    same_after("SYN", |frames| disorder::stray(frames, |tcp| (tcp.syn, tcp.ack) = (true, false)));
}

#[test]
fn a_syn_that_takes_no_number() {
    same_after("SYN without a number", disorder::without_syn);
}

#[test]
fn data_cut_into_segments_of_1_byte() {
    same_after("1 byte", |frames| disorder::recut(frames, 1));
}

#[test]
fn data_cut_into_segments_of_2_7_and_64_bytes() {
    for size in [2, 7, 64] {
        same_after(&format!("{size} bytes"), |frames| disorder::recut(frames, size));
    }
}

#[test]
fn retransmissions_that_overlap() {
    same_after("overlaps", disorder::overlap);
    same_after("overlaps of 50 bytes", |frames| disorder::overlap(&disorder::recut(frames, 50)));
}

#[test]
fn data_recorded_behind_its_acknowledgement() {
    same_after("the server's data late", |frames| disorder::behind_ack(frames, Late::Server));
    same_after("the client's data late", |frames| disorder::behind_ack(frames, Late::Client));
    let short = |frames: &[Frame]| disorder::recut(frames, 100);
    same_after("the server's 100 bytes late", |frames| disorder::behind_ack(&short(frames), Late::Server));
    same_after("the client's 100 bytes late", |frames| disorder::behind_ack(&short(frames), Late::Client));
    let damaged = |frames: &[Frame]| disorder::corrupt_first(frames);
    same_after("the client's data late, damaged first", |frames| disorder::behind_ack(&damaged(frames), Late::Client));
    same_after("the server's data late, damaged first", |frames| disorder::behind_ack(&damaged(frames), Late::Server));
}

#[test]
fn a_damaged_copy_before_the_good_one() {
    same_after("damaged copies", disorder::corrupt_first);
    same_after("damaged copies of 64 bytes", |frames| disorder::corrupt_first(&disorder::recut(frames, 64)));
}

#[test]
fn another_link_layer() {
    same_after("an additional VLAN", disorder::tag);
    same_after("two additional VLANs", |frames| disorder::tag(&disorder::tag(frames)));
    // LLDP is not IP, so what it tells about a phone is gone.
    let by_lldp = |sample: &Sample| {
        let mut signals = sample.before.devices.iter().flat_map(|device| &device.recognized_by);
        signals.any(|signal| signal.what.contains("LLDP"))
    };
    let analyze = |sample: &Sample| sample.report_after(disorder::raw_ip);
    same_of("raw IP", SAMPLES.iter().filter(|sample| !by_lldp(sample)), analyze);
}

#[test]
fn another_byte_order_and_precision() {
    for container in [Container::Pcap, Container::PcapNanos, Container::Pcapng] {
        for big_endian in [false, true] {
            same_as(Format { container, big_endian, ..Format::PLAIN });
        }
    }
}

#[test]
fn a_segment_lost_after_the_certificate() {
    let mut failures = Vec::new();
    let mut losses = 0;
    for sample in share("lost after", SAMPLES.iter()) {
        let before = &sample.before;
        for cut in [<[Frame]>::to_vec, loss::in_small_segments] {
            for (which, recording) in sample.captures.iter().enumerate() {
                let frames = cut(&recording.frames);
                for lost in loss::expendable(&frames) {
                    losses += 1;
                    let mut captures = sample.captures.clone();
                    captures[which].frames = loss::without(&frames, lost);
                    let after = sample.report_of(&captures);
                    let mut lines = same::differences(before, &after);
                    if !loss::may_lose(before) {
                        lines = loss::faults_without_data(before, &after);
                    }
                    lines.extend(support::broken_promises(&after));
                    let number = lost + 1;
                    failures.extend(lines.iter().map(|line| format!("{} without frame {number}: {line}", sample.name)));
                }
            }
        }
    }
    assert!(losses > share_of(300), "only {losses} segments were lost");
    report("a segment lost after the Certificate", &failures);
}

#[test]
fn a_segment_lost_inside_the_certificate() {
    let mut failures = Vec::new();
    let mut undecided = 0;
    for sample in share("lost inside", SAMPLES.iter()) {
        let before = &sample.before;
        for part in [Part::FlightStart, Part::Start, Part::Middle, Part::End] {
            let (mut captures, mut losses) = (sample.captures.clone(), Vec::new());
            for recording in &mut captures {
                let (frames, lost) = loss::without_part_of_certificates(&recording.frames, part);
                recording.frames = frames;
                losses.extend(lost);
            }
            let after = sample.report_of(&captures);
            let besides = if matches!(part, Part::FlightStart) { Besides::ServerHello } else { Besides::Nothing };
            let mut lines =
                loss::faults_without_certificates(before, &after, besides, |device| loss::has_lost(device, &losses));
            let rests = |device: &&Device| {
                let by_size = matches!(part, Part::FlightStart) || !loss::rests_on_record_size(device, before);
                loss::rests_on_certificates(device, before) && loss::has_lost(device, &losses) && by_size
            };
            for device in before.devices.iter().filter(rests) {
                undecided += 1;
                lines.extend(loss::untold_losses(&losses, device, &after));
            }
            lines.extend(support::broken_promises(&after));
            failures.extend(lines.iter().map(|line| format!("{} without {part:?}: {line}", sample.name)));
        }
    }
    assert!(undecided > share_of(60), "only {undecided} verdicts rest on certificates");
    report("a segment lost inside the Certificate", &failures);
}

#[test]
fn packets_cut_at_96_bytes() {
    let mut failures = Vec::new();
    for sample in share("cut", SAMPLES.iter()) {
        // Without the devices whose TLS begins inside another protocol: once cut, nothing shows that it is there.
        let mut before = sample.before.clone();
        before.devices.retain(|device| !loss::is_tunneled(device, &sample.captures));
        let before = &before;
        let cut = Format { snap: 96, ..Format::PLAIN };
        let write = |recording: &Recording| (recording.name.clone(), cut.write(&recording.frames));
        let after = sample.report(&sample.captures.iter().map(write).collect::<Vec<_>>());
        let mut lines = loss::faults_without_certificates(before, &after, Besides::FrameEnds, |_| true);
        for device in before.devices.iter().filter(|device| loss::rests_on_certificates(device, before)) {
            lines.extend(loss::untold_cuts(96, &sample.captures, device, &after));
        }
        lines.extend(support::broken_promises(&after));
        failures.extend(lines.iter().map(|line| format!("{}: {line}", sample.name)));
    }
    report("packets cut at 96 bytes", &failures);
}
