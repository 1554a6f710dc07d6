//! In: numbers of IANA's TLS registries. Out: their names, as written there. Bounded: tables. Left to others: versions,
//! suites and alerts (`names`), and what a number means for a handshake.

use tls_parser::SignatureScheme;

/// The name of a supported group: a curve or a finite field (RFC 8446 section 4.2.7, RFC 8422, RFC 7919), or its number.
pub fn group(id: u16) -> String {
    named(GROUPS, id)
}

/// The name of a SignatureScheme (RFC 8446 section 4.2.3), or its number. Pairs of TLS 1.2 (RFC 5246 section 7.4.1.4.1)
/// that TLS 1.3 does not name are written alike.
pub fn signature_scheme(id: u16) -> String {
    let known = SignatureScheme(id).to_string();
    // tls-parser prints a number that it does not know in this form.
    if known.starts_with("SignatureScheme") { named(SCHEMES, id) } else { known }
}

/// The name of an extension (RFC 8446 section 4.2, RFC 6066), or its number.
pub fn extension(id: u16) -> String {
    named(EXTENSIONS, id)
}

/// Whether a value is reserved for GREASE, which clients add to keep servers tolerant (RFC 8701).
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

fn named(table: &[(u16, &str)], id: u16) -> String {
    let known = table.iter().find(|(number, _)| *number == id);
    known.map_or_else(|| format!("{id:#06x}"), |(_, name)| (*name).to_owned())
}

const GROUPS: &[(u16, &str)] = &[
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (22, "secp256k1"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (29, "x25519"),
    (30, "x448"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (41, "curveSM2"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (4587, "SecP256r1MLKEM768"),
    (4588, "X25519MLKEM768"),
    (4589, "SecP384r1MLKEM1024"),
    (25497, "X25519Kyber768Draft00"),
];

const SCHEMES: &[(u16, &str)] = &[
    (0x0101, "rsa_pkcs1_md5"),
    (0x0202, "dsa_sha1"),
    (0x0301, "rsa_pkcs1_sha224"),
    (0x0302, "dsa_sha224"),
    (0x0303, "ecdsa_sha224"),
    (0x0402, "dsa_sha256"),
    (0x0502, "dsa_sha384"),
    (0x0602, "dsa_sha512"),
    (0x0904, "mldsa44"),
    (0x0905, "mldsa65"),
    (0x0906, "mldsa87"),
];

const EXTENSIONS: &[(u16, &str)] = &[
    (0, "server_name"),
    (1, "max_fragment_length"),
    (3, "trusted_ca_keys"),
    (4, "truncated_hmac"),
    (5, "status_request"),
    (10, "supported_groups"),
    (11, "ec_point_formats"),
    (12, "srp"),
    (13, "signature_algorithms"),
    (14, "use_srtp"),
    (15, "heartbeat"),
    (16, "application_layer_protocol_negotiation"),
    (17, "status_request_v2"),
    (18, "signed_certificate_timestamp"),
    (19, "client_certificate_type"),
    (20, "server_certificate_type"),
    (21, "padding"),
    (22, "encrypt_then_mac"),
    (23, "extended_master_secret"),
    (24, "token_binding"),
    (27, "compress_certificate"),
    (28, "record_size_limit"),
    (34, "delegated_credential"),
    (35, "session_ticket"),
    (41, "pre_shared_key"),
    (42, "early_data"),
    (43, "supported_versions"),
    (44, "cookie"),
    (45, "psk_key_exchange_modes"),
    (47, "certificate_authorities"),
    (48, "oid_filters"),
    (49, "post_handshake_auth"),
    (50, "signature_algorithms_cert"),
    (51, "key_share"),
    (57, "quic_transport_parameters"),
    (13172, "next_protocol_negotiation"),
    (17513, "application_settings"),
    (17613, "application_settings_new"),
    (30032, "channel_id"),
    (65037, "encrypted_client_hello"),
    (65281, "renegotiation_info"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_names_of_the_registry_and_unknown_ones_stay_numbers() {
        // https://www.iana.org/assignments/tls-parameters and tls-extensiontype-values
        assert_eq!([23, 29, 256, 9999].map(group), ["secp256r1", "x25519", "ffdhe2048", "0x270f"]);
        let schemes = [0x0403, 0x0804, 0x0201, 0x0202, 0xeeee].map(signature_scheme);
        assert_eq!(schemes, ["ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha1", "dsa_sha1", "0xeeee"]);
        assert_eq!([13, 65281, 999].map(extension), ["signature_algorithms", "renegotiation_info", "0x03e7"]);
        for table in [GROUPS, SCHEMES, EXTENSIONS] {
            assert!(table.is_sorted_by_key(|(number, _)| *number));
        }
    }

    #[test]
    fn grease_is_sixteen_values() {
        // RFC 8701 section 2: 0x0a0a, 0x1a1a, to 0xfafa.
        let values: Vec<u16> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
        assert_eq!((values.len(), values.first(), values.last()), (16, Some(&0x0a0a), Some(&0xfafa)));
    }
}
