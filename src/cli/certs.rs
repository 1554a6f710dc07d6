//! `chaingap certs`: lists the certificates of captures and how each was seen, and writes them as PEM.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chaingap::render;
use chaingap::report::CertsReport;
use clap::{Args, ValueHint};

use super::exit::{Exit, Failure};
use super::file::{Links, may_write, write_file};
use super::format::{Format, Offer, Show, offering};
use super::inputs::captures;
use super::options::TrustOptions;
use super::output::{self, Color};
use super::patterns::Files;
use super::reading::{Devices, report_of};

const FORMATS: &[(Format, Show<CertsReport>)] =
    &[(Format::TEXT, render::certs_text), (Format::JSON, |report, _| render::certs_json(report))];

/// The longest part of a file name that is taken from a certificate.
const LONGEST: usize = 60;

/// `chaingap certs`.
#[derive(Debug, Args)]
#[command(mut_arg("format", offering(FORMATS)))]
pub(crate) struct Certs {
    /// Captures, folders of captures, or - for standard input
    #[arg(required = true, value_name = "CAPTURE|DIR|-", value_hint = ValueHint::AnyPath)]
    inputs: Vec<Files>,
    /// Only those that would have completed a chain
    #[arg(long)]
    missing: bool,
    #[command(flatten)]
    trust: TrustOptions,
    /// Write the certificates: each to a PEM file in this folder, or all to one file whose name ends in .pem, or in .p7b
    /// (PKCS#7, which Windows imports); repeatable
    #[arg(short, long, value_name = "DIR|FILE", help_heading = "Output")]
    output: Vec<PathBuf>,
    /// Overwrite these files
    #[arg(long, help_heading = "Output")]
    force: bool,
    /// Output format of the list
    #[arg(long, value_parser = Offer::all(), default_value = "text", help_heading = "Output")]
    format: Format,
    /// Colour the text
    #[arg(long, value_enum, default_value_t = Color::Auto, help_heading = "Output")]
    color: Color,
}

impl Certs {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let show = self.format.show(FORMATS)?;
        let inputs = captures(&self.inputs)?;
        let Some((report, all)) = report_of(&self.trust, &inputs, Devices::Examples)? else { return Ok(Exit::Failed) };
        let omitted: u64 = report.devices.iter().map(|device| device.handshakes_omitted).sum();
        if self.trust.device.is_some() && omitted > 0 {
            output::note(&format!("handshakes that were not kept: {omitted}; what only they show is not listed"));
        }
        let mut report = CertsReport::of(&report, self.missing);
        for place in &self.output {
            self.export(place, &mut report)?;
        }
        output::write(show(&report, &self.color.style(false)), None, false)?;
        Ok(if all { Exit::Clean } else { Exit::Failed })
    }

    /// Writes the certificates to one file, if the place is named like one, or to a folder.
    fn export(&self, place: &Path, report: &mut CertsReport) -> Result<(), Failure> {
        let ending = place.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let bytes = match ending.as_deref() {
            _ if place.is_dir() => return self.export_each(place, report),
            Some("pem") => {
                report.certificates.iter().map(|entry| pem(&entry.certificate.der)).collect::<String>().into()
            }
            Some("p7b" | "p7c") => render::certs_pkcs7(report),
            _ => return self.export_each(place, report),
        };
        if report.certificates.is_empty() {
            output::note(&format!("{}: not written, for want of certificates", place.display()));
            return Ok(());
        }
        let path = place.to_string_lossy();
        report.certificates.iter_mut().for_each(|entry| entry.file = Some(path.to_string()));
        write_file(place, &bytes, self.force, Links::Replace)
    }

    /// Writes every certificate to a file of its own, or none if one of the files exists and may not be overwritten.
    fn export_each(&self, folder: &Path, report: &mut CertsReport) -> Result<(), Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
        let mut names = BTreeSet::new();
        for entry in &mut report.certificates {
            let name = file_name(&entry.certificate.subject, &entry.sha256, &mut names);
            let path = folder.join(name);
            may_write(&path, self.force)?;
            entry.file = Some(path.to_string_lossy().into_owned());
        }
        for entry in &report.certificates {
            let path = entry.file.iter().map(Path::new);
            let pem = pem(&entry.certificate.der);
            path.into_iter().try_for_each(|path| write_file(path, pem.as_bytes(), self.force, Links::Replace))?;
        }
        Ok(())
    }
}

/// A file name that a hostile certificate cannot steer: letters, digits, dots and hyphens of its common name, then digits of its hash.
fn file_name(subject: &str, sha256: &str, used: &mut BTreeSet<String>) -> String {
    let mut name = String::new();
    for c in render::common_name(subject).chars() {
        let safe = if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
        if !(safe == '-' && name.ends_with('-')) {
            name.push(safe);
        }
    }
    let name: String = name.trim_start_matches(['.', '-']).chars().take(LONGEST).collect();
    let name = if name.is_empty() { "certificate" } else { name.trim_end_matches(['.', '-']) };
    let digits = |count| sha256.chars().take(count).collect::<String>();
    let short = format!("{name}-{}.pem", digits(12));
    // Two certificates whose hashes begin alike can only be made on purpose.
    let name = if used.contains(&short) { format!("{name}-{}.pem", digits(64)) } else { short };
    used.insert(name.clone());
    name
}

/// RFC 7468: base64 in lines of 64 characters.
fn pem(der: &str) -> String {
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in der.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out + "-----END CERTIFICATE-----\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_readable() {
        let of = |subject: &str| file_name(subject, &"ab".repeat(32), &mut BTreeSet::new());
        assert_eq!(of("CN=Northwind Policy CA 1,O=Northwind"), "Northwind-Policy-CA-1-abababababab.pem");
        assert_eq!(of("CN=*.contoso.test"), "contoso.test-abababababab.pem");
        assert_eq!(of("CN=../../etc/passwd"), "etc-passwd-abababababab.pem");
        let hostile = of("CN=a\\00b/\\\\c:\u{202e}\u{1b}[d|e");
        assert!(hostile.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'), "{hostile}");
        assert_eq!(of(""), "certificate-abababababab.pem");
        assert_eq!(of("CN=証明書"), "certificate-abababababab.pem");
        assert!(of(&format!("CN={}", "x".repeat(10_000))).len() < 100);
        let mut used = BTreeSet::new();
        let both = [1, 2].map(|n| file_name("CN=a", &format!("{}{n}", "0".repeat(63)), &mut used));
        assert_ne!(both[0], both[1]);
    }
}
