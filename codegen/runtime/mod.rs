//! What the generated modules are made of: open enums, timestamps, answer envelopes, operation facts
//! and request values. No I/O.

mod envelope;
mod field;
mod lenient;
pub(crate) mod members;
mod open_enum;
mod operation;
#[cfg(feature = "both-ways")]
mod parts;
mod request;
mod secret;
mod timestamp;

#[cfg(feature = "both-ways")]
pub(crate) use envelope::{answer_again, body_again};
pub(crate) use open_enum::{deserialize as open_enum_deserialize, open_enum};

pub use envelope::{
    Acted, Answer, Around, Binary, Data, DecodeError, Empty, Page, PageItems, Pagination, Undecoded,
};
pub use field::{Field, FieldKind, Fields, Filter, Setting};
pub use lenient::{flag, integer, list, map, number, object, text};
pub use open_enum::OpenEnum;
pub use operation::{
    AnswerForm, ApiVersion, Evidence, FilterRule, Kind, Method, Operation, Paging, Part, Rate,
};
#[cfg(feature = "both-ways")]
pub use parts::{Parts, PartsError};
pub use request::{Problem, Request, RequestError};
pub use secret::Secret;
pub use timestamp::Timestamp;
