//! chaingap explains from a packet capture why a device's TLS handshake failed.
//!
//! An [`Analyzer`] holds what to judge by: the roots that the devices trust, a profile, limits. It reads captures and makes
//! a [`Report`](report::Report), which [`render`] shows in any format. What the words and findings of a report mean is in
//! the repository's `docs/`.
//!
//! ```
//! use chaingap::render::{self, TextStyle};
//!
//! let root = std::fs::read("captures/pki/root.pem")?;
//! let capture: Vec<u8> = std::fs::read("captures/usb-sign-in.pcapng")?;
//!
//! let analyzer = chaingap::Analyzer::builder().root("root.pem", &root).build()?;
//! let report = analyzer.analyze(capture.as_slice(), "usb-sign-in.pcapng")?;
//!
//! assert_eq!(report.findings[0].code, "CG001");
//! assert_eq!(report.findings[0].missing[0].subject, "CN=Northwind Issuing CA 1,O=Northwind");
//! print!("{}", render::text(&report, &TextStyle { color: false, width: 100 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Several captures are one [`Investigation`], in which a certificate from one explains another. Bytes are pulled from any
//! reader, or pushed in pieces of any size as they come ([`CaptureRun`]). The search for certification paths can be used
//! without captures ([`trust::PathFinder`]).
//!
//! # What it does not do
//!
//! The library takes bytes: it opens no files and asks neither the clock nor the environment. No call starts a thread but
//! [`Investigation::read_ahead`], which reads with one more and ends it before it returns.
//!
//! # What stays as it is
//!
//! The items documented here change only with a new version as Semantic Versioning has it. Types that will grow are
//! `#[non_exhaustive]`. Reports have a schema of their own (`schema/*.json`). The stages between the bytes and the report
//! are public but not documented here; they serve this project's tests, and any release may change them.

#![deny(rustdoc::broken_intra_doc_links)]

mod analyzer;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
mod annotate;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod capture;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
#[doc(hidden)]
pub mod decode;
#[doc(hidden)]
pub mod diagnosis;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
#[doc(hidden)]
pub mod evidence;
pub mod expectations;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod files;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
#[doc(hidden)]
pub mod flow;
pub mod limits;
mod pipeline;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
#[doc(hidden)]
pub mod protocol;
pub mod render;
pub mod report;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod trust;
mod words;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod x509;

pub use analyzer::{Analyzer, BuildError, Builder, CaptureRun, DeviceFilter, DeviceFilterError, Error, Investigation};
pub use annotate::{AnnotateOptions, Annotated, annotate};
pub use evidence::SignInMethod;
