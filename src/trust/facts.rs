//! The facts of a device profile, one row each.
//!
//! In: nothing. Out: a table for everything that needs every fact: the fields of a profile, the keys of its file, the
//! template for such files, and how a fact is shown. Bounded: by the table. Left to others: what follows from a fact,
//! and what is a list (anchors, algorithms that are not supported, fetches, notes).

/// Calls the macro `$with` with the rows of the table. A row is
///
/// ```text
/// /// The documentation of the field of `Profile`.
/// key: type of its value {
///     shown: its words, by a function of `shown` from the value,
///     template: its lines in the template of a profile file,
/// }
/// ```
///
/// The key is the name of the field, and that in the profile file and in reports. The type must be one that serde
/// reads and writes. The order of the rows is that of the template and of reports.
macro_rules! facts {
    ($with:ident) => {
        $with! {
            /// Lowest and highest protocol version.
            tls_versions: TlsVersions {
                shown: told("which protocol versions it speaks", versions),
                template: r#"
# "SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"
tls_versions = { value = { min = "TLS 1.0", max = "TLS 1.2" }, provenance = "measured", source = "seen in its hellos" }"#,
            }

            /// Whether it sends the server's name in its ClientHello.
            sni: bool {
                shown: yes_no("sends the server's name (SNI)", "sends no server name (SNI)"),
                template: r#"
# Does it send the server's name?
sni = { value = true, provenance = "measured", source = "seen in its hellos" }"#,
            }

            /// Whether it fetches issuers by the addresses in certificates (authority information access, RFC 5280
            /// section 4.2.2.1).
            aia: bool {
                shown: yes_no(
                    "fetches issuers by the addresses in certificates (AIA)",
                    "fetches no issuers by the addresses in certificates (AIA)"
                ),
                template: r#"
# Does it fetch issuers by the addresses in certificates?
aia = { value = false, provenance = "unverified", source = "never seen" }"#,
            }

            /// Length in bits of the longest RSA modulus that it computes with.
            max_rsa_bits: u32 {
                shown: told("the longest RSA key that it takes", |bits| format!("takes RSA keys of {bits} bits at most")),
                template: r#"
# The longest RSA key that it takes.
max_rsa_bits = { value = 4096, provenance = "doc", source = "administrator's guide" }"#,
            }

            /// Whether it takes the common name where the subjectAltName has no DNS name.
            cn_fallback: bool {
                shown: yes_no(
                    "takes the common name where the subjectAltName has no DNS name",
                    "takes no common name for the server's name"
                ),
                template: r#"
# Does the common name count where there is no DNS name in the subjectAltName?
cn_fallback = { value = false, provenance = "unverified", source = "never tried" }"#,
            }

            /// Whether it accepts a wildcard in the subjectAltName.
            wildcard_san: bool {
                shown: yes_no(
                    "accepts a wildcard in the subjectAltName",
                    "accepts no wildcard in the subjectAltName"
                ),
                template: r#"
# Does it take *.example.com in the subjectAltName?
wildcard_san = { value = true, provenance = "doc", source = "administrator's guide" }"#,
            }

            /// Whether it checks the server's name only after the handshake.
            name_check_after_handshake: bool {
                shown: yes_no(
                    "checks the server's name only after the handshake",
                    "checks the server's name within the handshake"
                ),
                template: r#"
# Does it check the server's name only after the handshake?
name_check_after_handshake = { value = false, provenance = "unverified", source = "never tried" }"#,
            }

            /// Whether it refuses servers outside its SIP domain.
            sip_domain_only: bool {
                shown: yes_no("refuses servers outside its SIP domain", "takes servers outside its SIP domain"),
                template: r#"
# Does it refuse servers outside its SIP domain?
sip_domain_only = { value = false, provenance = "unverified", source = "never tried" }"#,
            }

            /// Whether it accepts anchors outside their dates: RFC 5280 section 6.1.1 (d) gives anchors no validity.
            expired_anchors: bool {
                shown: yes_no("accepts anchors that have expired", "refuses anchors that have expired"),
                template: r#"
# Does it accept a root that it trusts after the root has expired?
expired_anchors = { value = false, provenance = "unverified", source = "never tried" }"#,
            }

            /// Checks of RFC 5280 section 6.1 that it is known to make.
            checks: Vec<Check> {
                shown: told("which checks of RFC 5280 section 6.1 it makes", checks),
                template: r#"
# Checks that it makes: "basic-constraints", "path-length", "key-usage", "extended-key-usage", "name-constraints",
# "critical-extensions", "anchor-certificates" (all of these of an anchor's own certificate too), "forms" (that of each
# certificate is as sections 4.1 and 4.2 of RFC 5280 require).
checks = { value = ["basic-constraints"], provenance = "measured", source = "refused a chain through a leaf" }"#,
            }
        }
    };
}

pub(super) use facts;
