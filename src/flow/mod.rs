//! Stage 3: segments become TCP connections with ordered bytes and gaps in each direction.
//!
//! In: [`Segment`](crate::decode::Segment)s in capture order. Out: [`Piece`]s of each direction in stream order, and
//! each [`Flow`] once it is over. Bounded: [`Limits::flows`](crate::limits::Limits::flows) connections at once; when
//! there are more, idle ones are dropped first, and the report says so. Left to others: what the bytes mean; the
//! caller's state is kept in `Flow::conversation`.

mod connection;
mod flight;
mod side;
mod stream;
mod table;

pub use connection::{Flow, Opening, STALL_NANOS, Stall, StreamEnd};
pub use flight::Undelivered;
pub use side::{Both, Side};
pub use stream::{Piece, Stream};
pub use table::FlowTable;
