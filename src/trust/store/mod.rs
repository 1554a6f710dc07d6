//! Files of certificates: what a store holds, and what a server would send of the file with its chain.
//!
//! In: the bytes of a file: PEM in any text, DER, PKCS#7, a serialized store. Out: the certificates in their order, and in
//! words what could not be read. Bounded: a small multiple of the bytes, each of which is read a few times. Left to
//! others: which files to read, and what they are for.

mod certificates;
mod chain;
mod contents;
mod pem;
mod serialized;

pub use certificates::{StoreContents, read_certificates};
pub use chain::{ChainCertificate, ChainFile, read_chain};
