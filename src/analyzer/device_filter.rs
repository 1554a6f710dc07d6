//! In: an address, network or MAC address as the user wrote it. Out: whether a device is meant by it. Bounded: by the text.

use std::net::IpAddr;
use std::str::FromStr;

use crate::evidence::Device;

/// Which devices to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceFilter {
    /// Those within a network, by its address and prefix length in bits.
    Network(IpAddr, u8),
    /// The one with this network card.
    Mac([u8; 6]),
}

/// The text names no device: it is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no IP address, network (192.0.2.0/24) or MAC address")]
pub struct DeviceFilterError(String);

impl FromStr for DeviceFilter {
    type Err = DeviceFilterError;

    fn from_str(text: &str) -> Result<Self, DeviceFilterError> {
        let bad = || DeviceFilterError(text.to_owned());
        let octets: Vec<_> = text.split([':', '-']).map(|part| u8::from_str_radix(part, 16)).collect();
        if text.len() == 17 && octets.len() == 6 {
            let octets: Result<Vec<u8>, _> = octets.into_iter().collect();
            return octets.ok().and_then(|octets| octets.try_into().ok()).map(Self::Mac).ok_or_else(bad);
        }
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(full), |prefix| prefix.parse().map_err(|_| bad()))?;
        if prefix > full { Err(bad()) } else { Ok(Self::Network(address, prefix)) }
    }
}

impl DeviceFilter {
    pub(super) fn admits(&self, device: &Device) -> bool {
        match *self {
            Self::Mac(mac) => device.mac.is_some_and(|(known, _)| known == mac),
            Self::Network(network, prefix) => {
                device.addresses.iter().any(|(address, ..)| is_within(*address, network, prefix))
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32_u32.saturating_sub(u32::from(prefix));
            address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128_u32.saturating_sub(u32::from(prefix));
            address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}
