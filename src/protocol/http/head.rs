//! Heads of HTTP/1.x messages (RFC 9112 sections 2 to 6).
//!
//! In: the bytes of one head, complete or truncated. Out: the fields that the rest of the program needs, and how the
//! body is framed. Bounded: `MAX_HEAD` bytes and `MAX_HEADERS` fields; more is not accepted as a head. Left to others:
//! pairing answers with requests, and the bodies.

use httparse::{EMPTY_HEADER, Header, ParserConfig};

use super::kept::MAX_CODINGS;
use super::part::{ContentRange, FileHead, FileVersion};
use crate::flow::Side;

/// Servers refuse more than 8 to 64 KiB.
pub(super) const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 128;

/// Methods by which the start of a request is recognized if nothing else shows it.
const METHODS: [&str; 18] = [
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "CONNECT",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "REPORT",
    "SEARCH",
    "SUBSCRIBE",
    "NOTIFY",
    "BITS_POST",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
];

/// How the end of a body is known (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is no body.
    Nothing,
    /// It has this many bytes.
    Length(u64),
    /// It is chunked.
    Chunked,
    /// It ends when the connection is closed.
    UntilClose,
}

/// The head of a request.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) host: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) soap_action: Option<String>,
    pub(super) has_credentials: bool,
    pub(super) framing: Framing,
}

/// The head of an answer.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) content_type: Option<String>,
    pub(super) server: Option<String>,
    /// The Location field of a redirection, as sent.
    pub(super) location: Option<String>,
    /// Content and transfer codings except `chunked` and `identity`, in the order of application; at most one more than
    /// are decoded.
    pub(super) codings: Vec<String>,
    pub(super) file: Box<FileHead>,
    /// The framing of an answer to GET.
    pub(super) framing: Framing,
}

/// Either.
#[derive(Debug)]
pub(super) enum Head {
    Request(RequestHead),
    Response(ResponseHead),
}

/// Parses a complete head, including the empty line that ends it.
pub(super) fn parse(side: Side, bytes: &[u8]) -> Option<Head> {
    match side {
        Side::Client => request(bytes).map(Head::Request),
        Side::Server => response(bytes).map(Head::Response),
    }
}

/// The complete lines of a truncated head, at least the start line.
pub(super) fn parse_cut(side: Side, bytes: &[u8]) -> Option<Head> {
    let lines = bytes.get(..=memchr::memrchr(b'\n', bytes)?)?;
    parse(side, &[lines, b"\r\n"].concat())
}

/// The length of a head including its empty line, which is searched for from `from` on.
pub(super) fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let newlines = memchr::memchr_iter(b'\n', bytes.get(from..)?);
    newlines.map(|at| from + at + 1).find_map(|line| match bytes.get(line..)? {
        [b'\n', ..] => Some(line + 1),
        [b'\r', b'\n', ..] => Some(line + 2),
        _ => None,
    })
}

/// The offset in a line at which a message starts, if one does: it may follow the tail of a body.
pub(super) fn start_in_line(side: Side, line: &[u8]) -> Option<usize> {
    if side == Side::Server {
        let is_status = |at: &usize| matches!(line.get(at + 7..), Some([b'0' | b'1', b' ', b'1'..=b'5', ..]));
        return memchr::memmem::find_iter(line, b"HTTP/1.").find(is_status);
    }
    let (before, version) = line.trim_ascii_end().split_at_checked(line.trim_ascii_end().len().checked_sub(9)?)?;
    if !version.starts_with(b" HTTP/1.") {
        return None;
    }
    // The target contains no space, so the method ends before the last one.
    let method_end = memchr::memrchr(b' ', before)?;
    let method = before.get(..method_end)?;
    if method.iter().all(|octet| octet.is_ascii_uppercase() || matches!(octet, b'-' | b'_')) && !method.is_empty() {
        return Some(0);
    }
    METHODS.iter().filter(|known| method.ends_with(known.as_bytes())).map(|known| method_end - known.len()).min()
}

/// Whether a connection with these first bytes speaks HTTP/1.x; `None` while there are too few to tell.
///
/// The target distinguishes it from SIP, which shares some methods.
pub fn starts_like_http(bytes: &[u8]) -> Option<bool> {
    if bytes.starts_with(b"HTTP/1.") {
        return Some(true);
    }
    if b"HTTP/1.".starts_with(bytes) {
        return None;
    }
    for method in METHODS.map(str::as_bytes) {
        if method.starts_with(bytes) {
            return None;
        }
        if let Some([b' ', target @ ..]) = bytes.strip_prefix(method) {
            return target.first().map(|first| matches!(first, b'/' | b'*' | b'h' | b'H') || method == b"CONNECT");
        }
        if bytes.strip_prefix(method) == Some(b"") {
            return None;
        }
    }
    Some(false)
}

/// Whether the answer to a request for `target` is expected to hold certificates.
pub(super) fn asks_for_certificates(target: &str) -> bool {
    const SUFFIXES: [&str; 6] = [".crt", ".cer", ".der", ".p7b", ".p7c", ".pem"];
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or_default(),
        None => target,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    path.contains("/certprov/")
        || path.contains("/certsrv/certnew.")
        || SUFFIXES.iter().any(|suffix| path.ends_with(suffix))
}

/// Whether this is a type of certificates (RFC 2585, RFC 8551, RFC 8555 and older names).
pub(super) fn is_certificate_type(content_type: &str) -> bool {
    const TYPES: [&str; 11] = [
        "application/pkix-cert",
        "application/pkix-pkipath",
        "application/x-x509-ca-cert",
        "application/x-x509-ca-ra-cert",
        "application/x-x509-user-cert",
        "application/x-x509-server-cert",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/x-pkcs7-certificates",
        "application/x-pem-file",
        "application/pem-certificate-chain",
    ];
    TYPES.contains(&essence(content_type).as_str())
}

/// Whether a body of this type may hold certificates: the types for certificates, and general ones that servers use
/// instead.
pub(super) fn is_worth_keeping(content_type: &str) -> bool {
    let kind = essence(content_type);
    is_certificate_type(content_type)
        || kind.ends_with("/xml")
        || kind.ends_with("+xml")
        || kind.starts_with("multipart/")
        || ["application/octet-stream", "binary/octet-stream", "text/plain"].contains(&kind.as_str())
}

/// The media type without its parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn request(bytes: &[u8]) -> Option<RequestHead> {
    let mut fields = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    ParserConfig::default()
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .ignore_invalid_headers_in_requests(true)
        .parse_request(&mut request, bytes)
        .ok()
        .filter(httparse::Status::is_complete)?;
    let fields = Fields(request.headers);
    let target = request.path?.to_owned();
    let host = fields.text("host").or_else(|| {
        let authority = target.split_once("://")?.1.split(['/', '?']).next()?;
        Some(authority.rsplit('@').next().unwrap_or(authority).to_owned())
    });
    let framing = if fields.is_chunked() {
        Framing::Chunked
    } else {
        fields.content_length().map_or(Framing::Nothing, Framing::Length)
    };
    Some(RequestHead {
        method: request.method?.to_owned(),
        host,
        user_agent: fields.text("user-agent"),
        soap_action: fields.text("soapaction").map(|action| action.trim_matches('"').to_owned()),
        has_credentials: ["authorization", "proxy-authorization", "cookie"].iter().any(|name| fields.has(name)),
        framing,
        target,
    })
}

fn response(bytes: &[u8]) -> Option<ResponseHead> {
    let mut fields = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut fields);
    ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .ignore_invalid_headers_in_responses(true)
        .parse_response(&mut response, bytes)
        .ok()
        .filter(httparse::Status::is_complete)?;
    let fields = Fields(response.headers);
    let status = response.code?;
    let transfer = fields.list("transfer-encoding");
    let framing = match status {
        100..=199 | 204 | 304 => Framing::Nothing,
        _ if fields.is_chunked() => Framing::Chunked,
        _ if !transfer.is_empty() => Framing::UntilClose,
        _ => fields.content_length().map_or(Framing::UntilClose, Framing::Length),
    };
    let codings = fields.list("content-encoding").into_iter().chain(transfer.iter().cloned());
    Some(ResponseHead {
        status,
        reason: response.reason.unwrap_or_default().trim().to_owned(),
        content_type: fields.text("content-type"),
        server: fields.text("server"),
        location: fields.text("location").filter(|_| (300..400).contains(&status)),
        file: Box::new(FileHead {
            // A range counts the bytes without transfer codings (RFC 9110 section 14.1.2); chunks are undone by the framing.
            range: fields
                .text("content-range")
                .filter(|_| status == 206 && transfer.iter().all(|coding| coding == "chunked"))
                .and_then(|value| ContentRange::parse(&value)),
            version: FileVersion { etag: fields.text("etag"), last_modified: fields.text("last-modified") },
        }),
        codings: codings.filter(|coding| coding != "identity" && coding != "chunked").take(MAX_CODINGS + 1).collect(),
        framing,
    })
}

/// The header fields of a message.
struct Fields<'h, 'b>(&'h [Header<'b>]);

impl Fields<'_, '_> {
    fn values(&self, name: &str) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| String::from_utf8_lossy(field.value).trim().to_owned())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The first field of this name that is not empty.
    fn text(&self, name: &str) -> Option<String> {
        self.values(name).find(|value| !value.is_empty())
    }

    /// The members of a field whose value is a list, in lower case.
    fn list(&self, name: &str) -> Vec<String> {
        let members = |value: String| value.split(',').map(|m| m.trim().to_ascii_lowercase()).collect::<Vec<_>>();
        self.values(name).flat_map(members).filter(|member| !member.is_empty()).collect()
    }

    fn is_chunked(&self) -> bool {
        self.list("transfer-encoding").last().is_some_and(|coding| coding == "chunked")
    }

    /// Content-Length; `None` if it is absent or not a number. Several members must be equal, so the first counts.
    fn content_length(&self) -> Option<u64> {
        let first = self.list("content-length").into_iter().next()?;
        first.bytes().all(|digit| digit.is_ascii_digit()).then(|| first.parse().ok())?
    }
}
