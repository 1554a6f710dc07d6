//! In: what is wrong. Out: what to do, in words and commands to copy. A line that starts with a space is a command.
//!
//! Only host names of `[A-Za-z0-9.-]` that do not start with `-`, addresses and hexadecimal digits from a capture ever
//! stand in a command; anything else is a placeholder, because people paste these lines into a shell.

use std::net::SocketAddr;

use super::assess::Assessment;
use super::{Session, cause};
use crate::evidence::{Fetch, Handshake, SignInMethod};
use crate::trust::{ChainStatus, Judgement, Missing};
use crate::x509::Name;

/// A host name that is safe to stand in a command.
fn host(name: Option<&str>, placeholder: &str) -> String {
    let safe = |name: &&str| {
        !name.is_empty()
            && !name.starts_with('-')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    };
    name.filter(safe).unwrap_or(placeholder).to_owned()
}

fn server_of(session: &Session<'_>, handshake: &Handshake) -> String {
    let address = handshake.server.ip();
    let mut asked = session.device.names.iter().filter(|(_, naming)| naming.addresses.contains(&address));
    let covered = |name: &str| {
        handshake.own_certificate().is_some_and(|leaf| leaf.matches_host(name, session.profile.host_rules()))
    };
    let asked = asked.clone().find(|(name, _)| covered(name)).or_else(|| asked.next());
    let name = handshake.server_name().or(asked.map(|(name, _)| name.as_str()));
    format!("{}:{}", host(name, &bracketed(handshake.server)), handshake.server.port())
}

fn bracketed(server: SocketAddr) -> String {
    if server.is_ipv6() { format!("[{}]", server.ip()) } else { server.ip().to_string() }
}

/// What to do on the server comes first, for it helps every device; then what is particular to Lync phones.
pub(super) fn missing_intermediate(session: &Session<'_>, handshake: &Handshake, missing: &[Missing]) -> Vec<String> {
    let server = server_of(session, handshake);
    let it = if missing.len() == 1 { "it" } else { "them" };
    let thumbprint = missing.first().and_then(|link| link.candidates.first()).map(|c| c.sha1_hex());
    let thumbprint = thumbprint.unwrap_or("<thumbprint>");
    let mut remedies = vec![format!(
        "make the server send {it}: on Windows import into LocalMachine\\Intermediate and restart the service, then check\n  certutil -addstore CA intermediate.cer\n  openssl s_client -connect {server} -showcerts"
    )];
    let lync = if_lync(session);
    if session.sign_in != SignInMethod::Pin {
        remedies.push(format!(
            "{lync}sign in once with a PIN, then tether: the phone stores the chain that the PIN sign-in downloads"
        ));
    }
    remedies.push(format!("{lync}publish {it} in Active Directory, where USB sign-in looks\n  certutil -f -dspublish intermediate.cer SubCA"));
    remedies.push(format!(
        "{lync}add {it} to what the web service hands out\n{}",
        web_service(thumbprint, "IntermediateCA")
    ));
    remedies
}

pub(super) fn untrusted_root(session: &Session<'_>, chain: &Judgement) -> Vec<String> {
    let root = chain.completed.as_ref().and_then(|path| path.top()).filter(|top| top.is_self_signed());
    let thumbprint = root.map_or("<thumbprint>", |root| root.sha1_hex());
    let lync = if_lync(session);
    let mut remedies = Vec::new();
    if !session.is_phone() {
        remedies.push(
            "install the root on the device, or give the server a certificate of a CA that the device trusts".into(),
        );
    }
    remedies.push(format!(
        "{lync}publish the root in Active Directory, where USB sign-in looks\n  certutil -f -dspublish root.cer RootCA"
    ));
    remedies.push(format!(
        "{lync}add it to what the web service hands out at PIN sign-in\n{}",
        web_service(thumbprint, "TrustedRootCA")
    ));
    remedies.push(format!(
        "if the {} should know this root, update its firmware: older releases ship fewer roots",
        session.noun()
    ));
    // What comes first is no alternative.
    if let Some(first) = remedies.first_mut().filter(|first| first.starts_with("or ")) {
        first.drain(.."or ".len());
    }
    remedies
}

/// Without a capture there is no server's address; what to add is known all the same.
pub(super) fn add_to_server(missing: &[Missing]) -> Vec<String> {
    let it = if missing.len() == 1 { "it" } else { "them" };
    vec![format!(
        "add {it} to what the server sends: behind its own certificate in the file, or on Windows in LocalMachine\\Intermediate\n  certutil -addstore CA intermediate.cer"
    )]
}

pub(super) fn trust_root(chain: &Judgement) -> Vec<String> {
    let root = chain.completed.as_ref().and_then(|path| path.top()).filter(|top| top.is_self_signed());
    let thumbprint = root.map_or("<thumbprint>", |root| root.sha1_hex());
    vec![
        "give the server a certificate of a CA that the device trusts, or make the device trust this root".into(),
        format!(
            "for Lync phones: hand the root out by the web service, and publish it in Active Directory\n{}\n  certutil -f -dspublish root.cer RootCA",
            web_service(thumbprint, "TrustedRootCA")
        ),
    ]
}

pub(super) fn bring_certificates() -> Vec<String> {
    vec!["bring the CA's certificates, and it can be decided\n  chaingap preflight CHAIN --bundle ca-certificates/ --roots root.pem".into()]
}

/// What only helps Lync phones is said so where the device was not recognized as one.
fn if_lync(session: &Session<'_>) -> &'static str {
    if session.is_phone() { "or " } else { "if it is a Lync phone: " }
}

fn web_service(thumbprint: &str, store: &str) -> String {
    format!(
        "  $x = New-CsWebTrustedCACertificate -Thumbprint \"{thumbprint}\" -CAStore {store}\n  Set-CsWebServiceConfiguration -Identity site:<Site> -TrustedCACerts @{{Add=$x}}"
    )
}

pub(super) fn other_ca(session: &Session<'_>, assessment: &Assessment) -> Vec<String> {
    let path = assessment.chain.path.as_ref();
    let root = path.and_then(|path| path.top()).filter(|top| top.is_self_signed());
    let thumbprint = root.map_or("<thumbprint>", |root| root.sha1_hex());
    vec![
        format!(
            "make the {} trust that CA too: a phone may know no CA but the one of its pool until others are added to what the web service hands out\n{}",
            session.noun(),
            web_service(thumbprint, "TrustedRootCA")
        ),
        "or give that server a certificate of the CA that the pool uses".into(),
    ]
}

pub(super) fn unsupported_algorithm() -> Vec<String> {
    vec!["issue the certificate anew with what the device can use: RSA with 2048 bits, and PKCS#1 v1.5 signatures with SHA-1 or SHA-256; on a Windows CA RSASSA-PSS comes from\n  AlternateSignatureAlgorithm=1 in CAPolicy.inf".into()]
}

pub(super) fn chain_order() -> Vec<String> {
    vec!["send the server's own certificate first, then each one's issuer, without the root; some devices take nothing else".into()]
}

pub(super) fn issuer_list() -> Vec<String> {
    vec![
        "do not send the list at all, which is the default since Windows Server 2012 (KB 931125, KB 2464556)\n  reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL /v SendTrustedIssuerList /t REG_DWORD /d 0".into(),
        "or remove surplus roots from LocalMachine\\Root (KB 2801679); Schannel's event 36885 tells of a list that was cut\n  Get-WinEvent -FilterHashtable @{LogName='System';ProviderName='Schannel';Id=36885} -MaxEvents 5".into(),
    ]
}

pub(super) fn client_certificate() -> Vec<String> {
    vec!["give the client a certificate that the server takes, from an issuer that the server trusts; the server's log tells why it refused (Schannel events 36874, 36887)".into()]
}

pub(super) fn revoked() -> Vec<String> {
    vec!["renew the server's certificate, or see why its CA says that it is revoked\n  certutil -verify -urlfetch server.cer".into()]
}

pub(super) fn key_mismatch() -> Vec<String> {
    vec![
        "give the server the issuer that fits its certificate: the one whose subject key identifier is the certificate's authority key identifier\n  openssl x509 -in server.cer -noout -ext authorityKeyIdentifier\n  openssl x509 -in issuer.cer -noout -ext subjectKeyIdentifier".into(),
        "a CA that was renewed with a new key has two certificates of one name: both belong into the server's Intermediate store".into(),
    ]
}

pub(super) fn chain_invalid() -> Vec<String> {
    vec![
        "issue the server's certificate anew from a CA that may issue it; the evidence names the rule that is broken"
            .into(),
    ]
}

pub(super) fn chain_undecided(assessment: &Assessment) -> Vec<String> {
    if assessment.chain.status == ChainStatus::Hidden {
        return certificate_hidden();
    }
    if assessment.unreadable.is_some() {
        return capture_better();
    }
    vec![
        "bring the certificates that may be missing, and it can be decided: export the CA's certificates and name them\n  chaingap analyze CAPTURE --bundle ca-certificates/ --roots root.pem".into(),
        "or capture a sign-in that works beside it, and analyze both".into(),
    ]
}

pub(super) fn certificate_hidden() -> Vec<String> {
    vec![
        "look at the server's chain from outside\n  openssl s_client -connect <server>:443 -showcerts".into(),
        "or capture while the server allows TLS 1.2 at most, where certificates are in clear".into(),
    ]
}

pub(super) fn dates() -> Vec<String> {
    vec![
        "renew the certificate that is outside its dates, and restart the service".into(),
        "if the dates are right, set the clock: phones take the time by NTP (DHCP option 42, or SRV _ntp._udp)".into(),
    ]
}

pub(super) fn intercepted(other: &Name) -> String {
    format!(
        "see whether a proxy or firewall inspects TLS on the way: others reach a server whose certificate {} issued; except these devices from inspection, or make them trust its CA",
        other.short()
    )
}

pub(super) fn clock() -> Vec<String> {
    vec![
        "give the device the time: phones ask a server named by DHCP option 42, the SRV record _ntp._udp of their domain, else time.windows.com\n  nslookup -type=srv _ntp._udp.<domain>\n  w32tm /stripchart /samples:3 /computer:<time server>".into(),
        "and let UDP port 123 through from the device's network".into(),
    ]
}

pub(super) fn outside_domain(domain: &str) -> Vec<String> {
    let domain = host(Some(domain), "<domain>");
    vec![format!(
        "point the SRV record to a name within {domain} that the server's certificate covers too\n  nslookup -type=srv _sipinternaltls._tcp.{domain}"
    )]
}

pub(super) fn after_tls() -> Vec<String> {
    vec!["look at the service behind the connection: its log at the time of these frames tells why it refused; certificates are not the reason".into()]
}

pub(super) fn name_mismatch() -> Vec<String> {
    vec!["issue the server's certificate with the name that devices use in its subjectAltName, or hand out the name that it has (DHCP option 43 and 120, DNS SRV)".into()]
}

pub(super) fn protocol_version(offered: &str) -> Vec<String> {
    let mut out = Vec::new();
    // The registry knows the versions by these names only.
    if ["TLS 1.0", "TLS 1.1", "TLS 1.2"].contains(&offered) {
        out.push(format!(
            "allow {offered} on the server, or give the phones a service of their own that does\n  reg query \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\{offered}\\Server\""
        ));
    }
    out.push(
        "Lync Phone Edition does TLS 1.0 at most; services that have switched it off cannot be reached by it".into(),
    );
    out
}

pub(super) fn cipher_suites() -> Vec<String> {
    vec!["allow one of the suites that the ClientHello offers on the server; phones of that age take RSA key exchange with AES-CBC or 3DES".into()]
}

pub(super) fn stalled(handshake: &Handshake) -> Vec<String> {
    let target = bracketed(handshake.server);
    vec![
        format!(
            "look for packets that are too large for the path: a black hole swallows full-size segments only\n  ping -M do -s 1472 {target}"
        ),
        "look at the server or the device in between that stopped answering (load balancer, firewall, inspection)"
            .into(),
    ]
}

pub(super) fn without_reason(chain: &Judgement) -> Vec<String> {
    let whole = "make the server send its whole chain: the device may not have kept what it downloaded";
    let mut out: Vec<String> = cause::downloaded(chain).map(|_| whole.into()).into_iter().collect();
    out.extend([
        "look at the device's own log: some stacks refuse a certificate without an alert".into(),
        "compare with a device that works: capture its sign-in too, and analyze both".into(),
    ]);
    out
}

pub(super) fn server_ended() -> Vec<String> {
    vec!["look at the server's log: on Windows the System log's Schannel events 36887, 36888, 36874\n  Get-WinEvent -FilterHashtable @{LogName='System';ProviderName='Schannel'} -MaxEvents 20".into()]
}

pub(super) fn other_protocol(server: SocketAddr) -> Vec<String> {
    let (target, port) = (bracketed(server), server.port());
    vec![
        format!(
            "see what listens on that port, and send the device to the one where the service speaks TLS\n  openssl s_client -connect {target}:{port}"
        ),
        "where the protocol goes over to TLS by a command (STARTTLS), set the device to that".into(),
    ]
}

pub(super) fn connection_refused(server: SocketAddr) -> Vec<String> {
    let (target, port) = (bracketed(server).trim_matches(['[', ']']).to_owned(), server.port());
    vec![
        format!("see whether the service listens and whether a firewall is between\n  nc -vz {target} {port}"),
        "check that DNS and DHCP hand out the right server".into(),
    ]
}

pub(super) fn tunnel_refused(status: &str) -> Vec<String> {
    let first = match status {
        "407" => {
            "the proxy wants its clients to sign in: let the device through without, or give it credentials for it"
        }
        _ => "look at the proxy's log and rules: they tell why it refuses this place to this device",
    };
    vec![first.into(), "or let the device reach the server without the proxy".into()]
}

pub(super) fn fetch_failed(fetch: &Fetch) -> Vec<String> {
    let server = web_server(fetch);
    if fetch.url.to_ascii_lowercase().contains("/certprov/") {
        return vec![
            "check that chain download is on: EnableCertChainDownload and UsePinAuth\n  Get-CsWebServiceConfiguration | Select-Object EnableCertChainDownload, UsePinAuth, InferCertChainFromSSL".into(),
            format!("ask the service yourself\n  curl -v http://{server}/CertProv/CertProvisioningService.svc/mex"),
        ];
    }
    vec![format!(
        "ask the server yourself; the address must answer with the certificate\n  curl -v -o answer http://{server}/<path>"
    )]
}

/// Host, and port where it is not 80, as the request named them, else of the connection: a proxy is not the server.
fn web_server(fetch: &Fetch) -> String {
    let authority = fetch.url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let (name, port) = authority.split_once(':').unwrap_or((authority, "80"));
    let named = (host(Some(name), ""), port.parse().ok());
    let (host, port) = match named {
        (host, Some(port)) if !host.is_empty() => (host, port),
        _ => (bracketed(fetch.server), fetch.server.port()),
    };
    if port == 80 { host } else { format!("{host}:{port}") }
}

pub(super) fn fetch_unhelpful() -> Vec<String> {
    vec!["make the web service hand out the chain of the server that the device goes to: InferCertChainFromSSL, or TrustedCACerts\n  Get-CsWebServiceConfiguration | Select-Object InferCertChainFromSSL, TrustedCACerts".into()]
}

pub(super) fn capture_better() -> Vec<String> {
    vec!["capture whole packets, both directions, from before the device starts until after it fails\n  dumpcap -i <interface> -s 0 -f \"host <device>\" -w sign-in.pcapng".into()]
}
