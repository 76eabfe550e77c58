//! What happens to a request between the client and the wire.

mod record;

pub use record::{Recorder, Seen};
