//! What one capture of a router shows on several interfaces: each packet before and after address translation.
//!
//! In: the sample that was recorded on both sides of such a router at the same time. Out: failed tests where one handshake
//! is two, or two are one (docs/verdict.md, step 11). Left to others: two captures (`investigation`).

use std::net::{IpAddr, SocketAddr};

use chaingap::report::Report;

use super::frame::Frame;
use super::samples::{Recording, sample};

/// The phone before translation, and the router behind it, as the sample's description has them.
const PHONE: &str = "192.168.20.50";
const ROUTER: &str = "10.20.30.2";

/// The report on these recordings as one capture.
fn in_one_capture(recordings: &[Vec<Frame>]) -> (Vec<Frame>, Report) {
    let mut frames = recordings.concat();
    frames.sort_by_key(|frame| frame.time);
    let any = Recording { name: "any.pcap".into(), frames: frames.clone() };
    (frames, sample("nat").report_of(&[any]))
}

/// The numbers of the frames with a ClientHello (RFC 8446 section 4: a handshake record of type 1), from this address.
fn hellos(frames: &[Frame], from: &str) -> Vec<usize> {
    let is_hello = |frame: &Frame| {
        let data = frame.data().filter(|segment| segment.direction().0.ip().to_string() == from);
        data.is_some_and(|segment| matches!(segment.payload.as_slice(), [22, 3, _, _, _, 1, ..]))
    };
    (1..=frames.len()).filter(|number| is_hello(&frames[number - 1])).collect()
}

#[test]
fn one_handshake_before_and_behind_address_translation_is_one() {
    let captures = &sample("nat").captures;
    let sides: Vec<_> = captures.iter().map(|recording| recording.frames.clone()).collect();
    let (frames, report) = in_one_capture(&sides);
    let [phone] = report.devices.as_slice() else { panic!("{} devices", report.devices.len()) };
    assert_eq!(phone.id, PHONE);
    let [handshake] = phone.handshakes.as_slice() else { panic!("{} handshakes", phone.handshakes.len()) };
    assert_eq!((phone.handshakes_total, report.statistics.handshakes), (1, 1));
    let [other] = handshake.also_seen.as_slice() else { panic!("{:?}", handshake.also_seen) };
    let numbers = [handshake.frame, other.frame].map(|frame| usize::try_from(frame).unwrap());
    assert_eq!(numbers, [hellos(&frames, PHONE)[0], hellos(&frames, ROUTER)[0]]);
    let told = |report: &Report| {
        report.findings.iter().map(|it| (it.code.clone(), it.proof, it.occurrences)).collect::<Vec<_>>()
    };
    assert_eq!(told(&report), told(&sample("nat").before));
}

#[test]
fn phones_that_do_the_same_at_once_stay_apart() {
    // The recording of one phone at other addresses: at the same times, or a little later each.
    let at = |last: u8, later: i64| -> Vec<Frame> {
        let moved = |address: SocketAddr| match address.ip().to_string() == PHONE {
            true => SocketAddr::new(IpAddr::from([192, 168, 20, last]), address.port()),
            false => address,
        };
        let frames = sample("nat").captures[0].frames.iter().map(|frame| {
            let time = frame.time + later;
            Frame { time, ..frame.segment().map_or(frame.clone(), |it| frame.with(it.readdressed(moved))) }
        });
        frames.collect()
    };
    for step in [0, 20_000, 100_000] {
        let (_, report) = in_one_capture(&[at(50, 0), at(51, step), at(52, 2 * step)]);
        let with_handshake = report.devices.iter().filter(|device| device.handshakes_total == 1).count();
        assert_eq!(with_handshake, 3, "{step} ns apart");
    }
}

#[test]
fn what_a_proxy_passes_on_is_another_connection() {
    let captures = &sample("nat").captures;
    let proxy = SocketAddr::from(([192, 168, 20, 1], 1080));
    let server = |frame: &Frame| frame.segment().map(|it| it.direction().1).filter(|end| end.port() == 443);
    let own = captures[0].frames.iter().find_map(server).unwrap();
    let to_proxy = captures[0].frames.iter().map(|frame| {
        let readdress = |address| if address == own { proxy } else { address };
        frame.segment().map_or(frame.clone(), |it| frame.with(it.readdressed(readdress)))
    });
    let (_, report) = in_one_capture(&[to_proxy.collect(), captures[1].frames.clone()]);
    let totals: Vec<_> = report.devices.iter().map(|device| device.handshakes_total).collect();
    assert_eq!(totals.iter().sum::<u64>(), 2, "{totals:?}");
}
