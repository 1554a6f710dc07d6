//! In: the evidence. Out: for a device, what it fetched in another recording. Bounded: by the evidence; nothing is kept
//! where all is one recording. Left to others: what follows from it.

use std::net::IpAddr;

use crate::evidence::{Device, Evidence, Fetch};

/// Devices that fetched certificates, where there are several recordings.
#[derive(Debug, Default)]
pub(super) struct Earlier(Vec<Fetcher>);

#[derive(Debug)]
pub(super) struct Fetcher {
    recording: u32,
    mac: Option<[u8; 6]>,
    address: IpAddr,
    pub(super) fetches: Vec<Fetch>,
}

impl Earlier {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut recordings = evidence.devices.glances().map(|glance| glance.shape.recording);
        let first = recordings.next();
        if recordings.all(|recording| Some(recording) == first) {
            return Self::default();
        }
        let fetched = evidence.devices.glances().filter(|glance| !glance.shape.fetches.is_empty());
        let devices = fetched.filter_map(|glance| evidence.devices.held(glance.index));
        let fetchers = devices.map(|device| Fetcher {
            recording: device.recording,
            mac: device.mac.map(|(mac, _)| mac),
            address: device.address,
            fetches: device.fetches.iter().filter(|fetch| fetch.succeeded()).cloned().collect(),
        });
        Self(fetchers.collect())
    }

    /// The same device in other recordings, by its network card or else by its address.
    pub(super) fn of_another_recording<'s>(&'s self, device: &'s Device) -> impl Iterator<Item = &'s Fetcher> {
        let others = self.0.iter().filter(|other| other.recording != device.recording);
        others.filter(|other| match (device.mac, other.mac) {
            (Some((own, _)), Some(other)) => own == other,
            _ => device.address == other.address,
        })
    }
}
