//! In: texts from the wire, and addresses of what was asked for. Out: the same, cut to what is kept of them. Bounded:
//! `MAX_LINE` and `MAX_URL` bytes.

use std::net::SocketAddr;

use super::endpoint::endpoint;
use crate::protocol::http::Exchange;

/// Bytes kept of a line of a device's story: any DNS name fits. `MAX_URL` bytes are kept of the address of a fetch:
/// most URLs fit.
pub(crate) const MAX_LINE: usize = 320;
pub(super) const MAX_URL: usize = 1024;

/// Cuts a line to what is kept of it.
pub(crate) fn shorten(line: &mut String, most: usize) {
    if line.len() > most {
        let end = (0..=most).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
        line.truncate(end);
        line.push('…');
        line.shrink_to_fit();
    }
}

/// Where a redirection leads: its Location may leave out the scheme, the host and the folder (RFC 9110 section 10.2.2).
pub(super) fn led_to(exchange: &Exchange, location: &str, server: SocketAddr) -> String {
    let folder = || exchange.target.split(['?', '#']).next().and_then(|path| path.rsplit_once('/'));
    let target = match location {
        _ if location.starts_with("//") => format!("http:{location}"),
        _ if location.starts_with('/') || location.contains("://") => location.to_owned(),
        _ => format!("{}/{location}", folder().map_or("", |(folder, _)| folder)),
    };
    url(exchange, &target, server)
}

pub(super) fn url(exchange: &Exchange, target: &str, server: SocketAddr) -> String {
    let mut url = address(exchange, target, server);
    shorten(&mut url, MAX_URL);
    url
}

/// Scheme, host and path: user info and query may hold secrets.
fn address(exchange: &Exchange, target: &str, server: SocketAddr) -> String {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    if let Some((scheme, rest)) = path.split_once("://") {
        let (authority, tail) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit('@').next().unwrap_or_default();
        return format!("{scheme}://{host}/{tail}");
    }
    // The target of CONNECT is an endpoint alone (RFC 9112 section 3.2.3).
    if exchange.method == "CONNECT" {
        return path.to_owned();
    }
    let host = exchange.host.clone().unwrap_or_else(|| endpoint(server));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("http://{host}{path}")
}
