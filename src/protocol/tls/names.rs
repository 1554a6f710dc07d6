//! In: numbers of the TLS registries. Out: their names, and what groups of alerts have in common. Bounded: tables. Left
//! to others: what an alert means in a handshake.

use std::fmt;

/// A protocol version as its two bytes on the wire; 0x0002 is SSL 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// SSL 2.0.
    pub const SSL_2_0: Self = Self(0x0002);
    /// TLCP (GB/T 38636), which has the messages of TLS 1.1.
    pub const TLCP: Self = Self(0x0101);
    /// SSL 3.0.
    pub const SSL_3_0: Self = Self(0x0300);
    /// TLS 1.0.
    pub const TLS_1_0: Self = Self(0x0301);
    /// TLS 1.2.
    pub const TLS_1_2: Self = Self(0x0303);
    /// TLS 1.3.
    pub const TLS_1_3: Self = Self(0x0304);

    /// Whether it is TLS 1.3 or one of its drafts.
    pub fn is_1_3(self) -> bool {
        self == Self::TLS_1_3 || (self.0 & 0xff00) == 0x7f00
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x0002 => f.write_str("SSL 2.0"),
            0x0101 => f.write_str("TLCP (GB/T 38636)"),
            0x0300 => f.write_str("SSL 3.0"),
            0x0301 => f.write_str("TLS 1.0"),
            0x0302 => f.write_str("TLS 1.1"),
            0x0303 => f.write_str("TLS 1.2"),
            0x0304 => f.write_str("TLS 1.3"),
            0x7f00..=0x7fff => write!(f, "TLS 1.3-draft{}", self.0 & 0xff),
            number => write!(f, "{number:#06x}"),
        }
    }
}

/// The name of a cipher suite in IANA's registry, or its number.
pub fn cipher_suite(id: u16) -> String {
    tls_parser::TlsCipherSuite::from_id(id).map_or_else(|| format!("{id:#06x}"), |suite| suite.name.into())
}

/// The AlertLevel `fatal` (RFC 8446 section 6).
pub(super) const FATAL: u8 = 2;

/// An AlertDescription (RFC 8446 section 6, RFC 5246 section 7.2). An unknown code keeps its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertCode(pub u8);

/// The codes by name, as constants and as the text in reports.
macro_rules! alert_codes {
    ($($constant:ident = $number:literal $name:literal,)*) => {
        impl AlertCode {
            $(
                #[doc = concat!("`", $name, "`.")]
                pub const $constant: Self = Self($number);
            )*

            /// Its name in IANA's registry.
            fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

alert_codes! {
    CLOSE_NOTIFY = 0 "close_notify",
    UNEXPECTED_MESSAGE = 10 "unexpected_message",
    BAD_RECORD_MAC = 20 "bad_record_mac",
    DECRYPTION_FAILED = 21 "decryption_failed",
    RECORD_OVERFLOW = 22 "record_overflow",
    DECOMPRESSION_FAILURE = 30 "decompression_failure",
    HANDSHAKE_FAILURE = 40 "handshake_failure",
    NO_CERTIFICATE = 41 "no_certificate",
    BAD_CERTIFICATE = 42 "bad_certificate",
    UNSUPPORTED_CERTIFICATE = 43 "unsupported_certificate",
    CERTIFICATE_REVOKED = 44 "certificate_revoked",
    CERTIFICATE_EXPIRED = 45 "certificate_expired",
    CERTIFICATE_UNKNOWN = 46 "certificate_unknown",
    ILLEGAL_PARAMETER = 47 "illegal_parameter",
    UNKNOWN_CA = 48 "unknown_ca",
    ACCESS_DENIED = 49 "access_denied",
    DECODE_ERROR = 50 "decode_error",
    DECRYPT_ERROR = 51 "decrypt_error",
    EXPORT_RESTRICTION = 60 "export_restriction",
    PROTOCOL_VERSION = 70 "protocol_version",
    INSUFFICIENT_SECURITY = 71 "insufficient_security",
    INTERNAL_ERROR = 80 "internal_error",
    INAPPROPRIATE_FALLBACK = 86 "inappropriate_fallback",
    USER_CANCELED = 90 "user_canceled",
    NO_RENEGOTIATION = 100 "no_renegotiation",
    MISSING_EXTENSION = 109 "missing_extension",
    UNSUPPORTED_EXTENSION = 110 "unsupported_extension",
    CERTIFICATE_UNOBTAINABLE = 111 "certificate_unobtainable",
    UNRECOGNIZED_NAME = 112 "unrecognized_name",
    BAD_CERTIFICATE_STATUS_RESPONSE = 113 "bad_certificate_status_response",
    BAD_CERTIFICATE_HASH_VALUE = 114 "bad_certificate_hash_value",
    UNKNOWN_PSK_IDENTITY = 115 "unknown_psk_identity",
    CERTIFICATE_REQUIRED = 116 "certificate_required",
    NO_APPLICATION_PROTOCOL = 120 "no_application_protocol",
}

impl AlertCode {
    /// The code of a name of IANA's registry (`unknown_ca`, in any case) or of a number with a name.
    pub fn named(text: &str) -> Option<Self> {
        let is_it = |code: &Self| match code.name() {
            Some(name) => name.eq_ignore_ascii_case(text) || text.parse() == Ok(code.0),
            None => false,
        };
        (0..=u8::MAX).map(Self).find(is_it)
    }

    /// Whether it announces the end of the connection and no error: a closure alert (RFC 8446 section 6.1).
    pub fn is_closure(self) -> bool {
        matches!(self, Self::CLOSE_NOTIFY | Self::USER_CANCELED)
    }

    /// Whether clients send it for any fault of a certificate, so that it names none: `handshake_failure`,
    /// `bad_certificate`, `unsupported_certificate`, `certificate_unknown` (docs/verdict.md, step 6).
    pub fn names_no_certificate_fault(self) -> bool {
        matches!(
            self,
            Self::HANDSHAKE_FAILURE | Self::BAD_CERTIFICATE | Self::UNSUPPORTED_CERTIFICATE | Self::CERTIFICATE_UNKNOWN
        )
    }

    /// Whether it may refuse the peer's certificate or its absence: 40 to 49 and `certificate_required`
    /// (docs/verdict.md, step 6, for a server that asked for a client certificate).
    pub fn may_refuse_certificate(self) -> bool {
        (Self::HANDSHAKE_FAILURE..=Self::ACCESS_DENIED).contains(&self) || self == Self::CERTIFICATE_REQUIRED
    }

    /// Whether only a peer that has sent a certificate is sent this: `bad_certificate` to `unknown_ca`, 42 to 48 (RFC
    /// 5246 section 7.2.2).
    pub fn answers_certificate(self) -> bool {
        (Self::BAD_CERTIFICATE..=Self::UNKNOWN_CA).contains(&self)
    }

    /// Whether it says that a message or record is coded wrongly, not that its content is refused: `record_overflow`,
    /// `illegal_parameter`, `decode_error` (RFC 5246 section 7.2.2).
    pub fn refuses_encoding(self) -> bool {
        matches!(self, Self::RECORD_OVERFLOW | Self::ILLEGAL_PARAMETER | Self::DECODE_ERROR)
    }

    /// Whether a server refuses the offered cipher suites by it: `handshake_failure`, `insufficient_security`
    /// (RFC 5246 section 7.2.2; docs/verdict.md, step 6).
    pub fn refuses_cipher_suites(self) -> bool {
        matches!(self, Self::HANDSHAKE_FAILURE | Self::INSUFFICIENT_SECURITY)
    }
}

impl fmt::Display for AlertCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert_{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of the codes for which `question` is true.
    fn codes(question: fn(AlertCode) -> bool) -> Vec<u8> {
        (0..=u8::MAX).filter(|code| question(AlertCode(*code))).collect()
    }

    #[test]
    fn groups_hold_the_numbers_that_the_verdict_names() {
        assert_eq!(codes(AlertCode::is_closure), [0, 90]);
        assert_eq!(codes(AlertCode::names_no_certificate_fault), [40, 42, 43, 46]);
        assert_eq!(codes(AlertCode::may_refuse_certificate), [40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 116]);
        assert_eq!(codes(AlertCode::answers_certificate), [42, 43, 44, 45, 46, 47, 48]);
        assert_eq!(codes(AlertCode::refuses_cipher_suites), [40, 71]);
    }

    #[test]
    fn a_code_prints_its_name_and_an_unknown_one_its_number() {
        assert_eq!(AlertCode::UNKNOWN_CA.to_string(), "unknown_ca");
        assert_eq!(AlertCode(255).to_string(), "alert_255");
    }
}
