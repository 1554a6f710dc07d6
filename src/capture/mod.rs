//! Stage 1: bytes of a capture file become frames.
//!
//! In: the bytes of one file, in pieces of any size, compressed or not. Out: [`Frame`]s in file order, each with its
//! number, offset and time; what the file holds besides them; problems in words. Bounded: one refill buffer, which
//! grows to one record at most, and one per compression. Left to others: what a frame holds.

mod ahead;
mod block;
mod buffer;
mod compression;
mod excerpt;
mod extras;
mod format;
mod frame;
mod link_type;
mod netmon;
mod pcap;
mod pcapng;
mod reader;
mod record;
mod summary;
mod timestamp;

pub(crate) use ahead::{Broken, read_ahead};
pub use compression::Compression;
pub use excerpt::{Beside, Copied, excerpt};
pub use extras::{Names, Secrets};
pub use format::Format;
pub(crate) use format::STARTS_WITH;
pub use frame::{Cut, Frame, FrameRef};
pub use link_type::LinkType;
pub use reader::CaptureReader;
pub use summary::{CaptureError, CaptureSummary};
pub use timestamp::Timestamp;
