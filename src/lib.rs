#![doc = include_str!("../docs/crate.md")]

mod address;
mod builder;
mod client;
mod dotted;
mod error;
pub mod files;
pub mod incidents;
mod outcome;
mod paging;
mod response;
mod secrets;
mod text;
mod time;
mod token;
mod token_life;
mod transport;

#[cfg(feature = "commands")]
pub mod commands;
#[cfg(feature = "contract")]
pub mod contract;
pub mod resources;
#[cfg(feature = "sandbox")]
pub mod sandbox;

pub use sentinelone_raw as raw;
pub use sentinelone_raw::runtime::{
    Acted, Answer, ApiVersion, Data, DecodeError, FilterRule, Kind, OpenEnum, Operation, Page, Problem,
    Request, RequestError, Secret, Timestamp,
};

pub use address::{AddressError, Console};
pub use builder::ClientBuilder;
pub use client::Client;
pub use error::{Error, ErrorKind, Sent, VendorError};
pub use outcome::{IdOutcome, IdState};
pub use paging::{Items, Pages};
pub use resources::all::*;
pub use response::Response;
pub use text::printable;
pub use time::{TimeError, point_in_time};
pub use token::{ApiToken, TokenError};
pub use token_life::TokenDetails;
pub use transport::{Clock, RateLimits, Recorder, Retry, Seen, Sleep};

/// The result of everything that talks to a console.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
