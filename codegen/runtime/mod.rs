//! Support code of the generated modules: open enums, timestamps, response envelopes, operation metadata and
//! request values. It does no I/O.

#[cfg(feature = "commands")]
pub mod commands;
mod field;
mod field_validator;
mod file_part;
mod json;
mod lenient;
pub(crate) mod object_reader;
mod open_enum;
mod operation;
#[cfg(feature = "contract")]
mod parts;
mod raw_item;
mod request;
mod request_error;
mod response;
mod secret;
mod time;
mod timestamp;

pub(crate) use field::{Sealed, converted};
pub(crate) use open_enum::{deserialize as open_enum_deserialize, open_enum};
#[cfg(feature = "contract")]
pub(crate) use response::{reencode_request_body, reencode_response};

pub use field::{Field, FieldKind, FieldValue, Fields, Filter};
pub use file_part::FilePart;
pub use json::DecodeError;
pub use lenient::{boolean, integer, list, map, number, object, string};
pub use open_enum::OpenEnum;
pub use operation::{
    ApiVersion, BodyPart, End, Evidence, FilterRequirement, Method, Operation, OperationKind, Paging,
    Permissions, RateLimit, RequestFormat, ResponseFormat, Security, Tier,
};
#[cfg(feature = "contract")]
pub use parts::{RequestParts, RequestPartsError};
pub use raw_item::RawItem;
pub use request::Request;
pub use request_error::{RequestError, RequestErrorKind};
pub use response::{
    AffectedCount, Binary, Data, Empty, JsonBody, ListEnvelope, Page, PageItems, Pagination, ResponseBody,
    UndecodedItem, Undocumented,
};
pub use secret::{SECRET_NAMES, Secret, is_secret_name};
pub use time::{ParseTimestampError, parse_timestamp};
pub use timestamp::{InvalidTimestampError, Timestamp};
