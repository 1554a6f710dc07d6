//! In: a device and the events told of it. Out: the lanes of its ladder, and which of them an event concerns. Bounded:
//! [`SERVERS`] servers have lanes of their own. Left to others: what is drawn between them.

use crate::render::shared::Scope;
use crate::render::shared::words::shorten;
use crate::report::{Device, Event, EventKind};

/// The most lanes for servers of their own.
const SERVERS: usize = 3;

/// Ports on which certificates are fetched in clear: their lanes come before the others.
const FETCHED_AT: [&str; 4] = ["80", "8080", "389", "3268"];

/// One vertical line: a party to the device's connections.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lane {
    /// `phone`, `port 443`.
    pub(super) title: String,
    /// The address, or what else is known.
    pub(super) note: String,
}

/// The lanes of one device: its own, one for DHCP and DNS, and those of servers.
pub(super) struct Lanes {
    pub(super) list: Vec<Lane>,
    helpers: Option<usize>,
    servers: Vec<(String, usize)>,
    /// The lane to which a fetch in clear would have gone.
    clear: Option<usize>,
    rest: Option<usize>,
}

impl Lanes {
    pub(super) fn of<'a>(scope: &Scope<'_>, device: &Device, events: impl Iterator<Item = &'a Event> + Clone) -> Self {
        let address = device.addresses.first().map_or(device.id.as_str(), |first| first.address.as_str());
        let mut lanes = Self {
            list: vec![Lane { title: scope.thing.to_owned(), note: shorten(address, 45) }],
            helpers: None,
            servers: Vec::new(),
            clear: None,
            rest: None,
        };
        if events.clone().any(asks_helpers) {
            lanes.helpers = Some(lanes.push("DHCP / DNS", ""));
        }
        let mut endpoints: Vec<&str> = Vec::new();
        for event in events.clone().filter(|event| !asks_helpers(event)) {
            endpoints.extend(event.server.as_deref().filter(|server| !endpoints.contains(server)));
        }
        let others = endpoints.len() > SERVERS;
        endpoints.truncate(SERVERS);
        let (clear, closed): (Vec<&str>, Vec<&str>) =
            endpoints.into_iter().partition(|endpoint| FETCHED_AT.contains(&port(endpoint).1));
        clear.iter().for_each(|endpoint| lanes.server(endpoint));
        let web = clear.iter().position(|endpoint| port(endpoint).1 == "80");
        lanes.clear = web.and_then(|at| lanes.servers.get(at)).map(|(_, lane)| *lane);
        if lanes.clear.is_none() && events.clone().any(|event| event.kind == EventKind::Absent) {
            lanes.clear = Some(lanes.push("port 80", "no fetch seen"));
        }
        closed.iter().for_each(|endpoint| lanes.server(endpoint));
        if others {
            lanes.rest = Some(lanes.push("other servers", ""));
        }
        lanes
    }

    fn push(&mut self, title: &str, note: &str) -> usize {
        self.list.push(Lane { title: title.to_owned(), note: note.to_owned() });
        self.list.len() - 1
    }

    fn server(&mut self, endpoint: &str) {
        let lane = match port(endpoint) {
            (address, "") => self.push("server", &shorten(address, 45)),
            (address, port) => self.push(&format!("port {port}"), &shorten(address, 45)),
        };
        self.servers.push((endpoint.to_owned(), lane));
    }

    pub(super) fn find(&self, event: &Event) -> Option<usize> {
        if asks_helpers(event) {
            return self.helpers;
        }
        if event.kind == EventKind::Absent {
            return self.clear;
        }
        let server = event.server.as_deref()?;
        self.servers.iter().find(|(endpoint, _)| endpoint == server).map(|(_, lane)| *lane).or(self.rest)
    }
}

fn asks_helpers(event: &Event) -> bool {
    matches!(event.kind, EventKind::Dhcp | EventKind::Dns | EventKind::Ntp | EventKind::Lldp)
}

/// Address and port of an endpoint; no port where it has none.
fn port(endpoint: &str) -> (&str, &str) {
    match endpoint.rsplit_once(':') {
        Some((address, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (address, port),
        _ => (endpoint, ""),
    }
}
