//! Validation of requests and responses against the bundled API specification.
//!
//! [`check`](fn@check) returns the differences between an exchange and the specification as [`Finding`]s: with
//! operation, location, rule and [`Severity`]. [`fixture`] reads exchanges from files, [`har`] from HAR exports of
//! browsers and proxies. A test of your own recordings has five lines:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/system_get_status");
//! # if !std::path::Path::new(dir).exists() { return Ok(()); }
//! for (path, exchange) in sentinelone_contract::fixture::read_dir(dir)? {
//!     for finding in sentinelone_contract::check(&exchange) {
//!         assert!(finding.is_drift(), "{}: {finding}", path.display());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Contract::bundled`] returns the specification. [`check_request`](Contract::check_request) and
//! [`check_response`](Contract::check_response) validate the parts of an exchange against it. [`round_trip_losses`]
//! lists the values that a JSON document loses in the types of the client. [`FixtureRecorder`] records exchanges as
//! files, sanitized by the [`Sanitizer`]. [`Probe`] calls the `GET` operations of a console and validates the
//! responses.
//!
//! ```
//! use sentinelone_contract::{Contract, ContractRule};
//!
//! let contract = Contract::bundled();
//! let found = contract.match_operation("GET", "/web/api/v2.1/threats").unwrap();
//! let response = br#"{"data": [{"id": "1", "mood": "calm"}], "pagination": {"totalItems": 1}}"#;
//! let findings = contract.check_response(found.operation, 200, response);
//! assert_eq!(findings[0].rule, ContractRule::UndeclaredField);
//! assert_eq!(findings[0].location, "response.body.data[0].mood");
//! ```

mod contract;
mod coverage;
mod example;
mod exchange_check;
mod exchange_context;
mod finding;
pub mod fixture;
mod fixture_recorder;
mod form;
pub mod har;
mod json_cursor;
mod json_stream;
mod location;
mod operation;
mod path;
mod probe;
mod pseudonymize;
mod query;
mod quick_check;
mod response_check;
mod round_trip;
mod sanitize;
mod schema;
mod secret_scan;
mod secret_search;
mod secret_text;
mod tolerance;
mod validation;
mod value_context;

pub use contract::{Contract, ContractError, OperationMatch};
pub use coverage::{Coverage, FieldCoverage};
pub use exchange_check::check;
pub use finding::{ContractRule, Finding, MessagePart, Severity, UnknownRuleError};
pub use fixture_recorder::{FixtureRecorder, FixtureRecorderError};
pub use operation::{OperationSpec, Parameter, ParameterLocation};
pub use probe::{Probe, ProbeOutcome, ProbeReport};
pub use round_trip::{RoundTripLoss, round_trip_losses};
pub use sanitize::Sanitizer;
pub use tolerance::DeclaredRequest;
