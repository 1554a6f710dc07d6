//! In: what the builder collected. Out: what every investigation is judged by. Bounded: by the user's files.

use std::sync::Arc;

use super::device_filter::DeviceFilter;
use crate::diagnosis::Trust;
use crate::evidence::Device;
use crate::limits::Limits;
use crate::protocol::tls::KeyLog;
use crate::report;

/// What to judge by. Made by [`Analyzer::builder`], good for any number of investigations.
#[derive(Clone, Debug, Default)]
pub struct Analyzer {
    pub(super) trust: Trust,
    pub(super) limits: Limits,
    pub(super) device: Option<(String, DeviceFilter)>,
    pub(super) options: report::Options,
    pub(super) all_handshakes: bool,
    pub(super) all_devices: bool,
    pub(super) continuous: bool,
    pub(super) keys: Arc<KeyLog>,
}

impl Analyzer {
    pub(super) fn evidence_limits(&self) -> Limits {
        let mut limits = self.limits.clone();
        if self.all_handshakes {
            (limits.handshakes_per_device, limits.handshakes) = (usize::MAX / 8, usize::MAX);
        }
        limits
    }

    /// Whether a device is one that was asked for.
    pub(super) fn admits(&self, device: &Device) -> bool {
        self.device.as_ref().is_none_or(|(_, filter)| filter.admits(device))
    }
}
