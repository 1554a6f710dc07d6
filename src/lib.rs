//! chaingap explains from a packet capture why a device's TLS handshake failed.
//!
//! Bytes of a capture become frames ([`capture`]), frames become segments ([`decode`]), segments become connections
//! ([`flow`]), connections become protocol events ([`protocol`]), events become the session of one device
//! ([`evidence`]), certificates are read ([`x509`]) and judged against what the device trusted ([`trust`]), and rules
//! turn what does not fit into findings ([`diagnosis`]). The [`report`] is the one data model of all that, and
//! [`render`] shows it.
//!
//! The library takes bytes. It uses no files, clock or environment, and a second thread only where reading ahead is
//! asked for ([`Investigation::read_ahead`]).
//!
//! ```no_run
//! let analyzer = chaingap::Analyzer::builder().root("root.pem", &std::fs::read("root.pem")?).build();
//! let report = analyzer.analyze(std::fs::File::open("usb.pcapng")?, "usb.pcapng")?;
//! print!("{}", chaingap::render::text(&report, &chaingap::render::TextStyle { color: false, width: 100 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(rustdoc::broken_intra_doc_links)]

mod analyzer;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
mod annotate;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod capture;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod decode;
pub mod diagnosis;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod evidence;
pub mod expectations;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod files;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod flow;
pub mod limits;
mod pipeline;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod protocol;
pub mod render;
pub mod report;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod trust;
mod words;
#[deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::as_conversions)]
pub mod x509;

pub use analyzer::{Analyzer, Builder, CaptureRun, DeviceFilter, Error, Investigation};
pub use annotate::{AnnotateOptions, Annotated, annotate};
