#![doc = include_str!("../docs/rustdoc.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod background;
pub mod batch;
mod builder;
mod cancel_on_drop;
mod client;
mod console_url;
mod entry_id;
mod error;
mod event_fields;
pub mod files;
pub mod incidents;
mod items;
pub mod json_path;
mod json_repair;
#[cfg(feature = "commands")]
mod json_text;
mod outcome;
mod paging;
mod parallel;
pub mod queries;
mod redaction;
mod response;
mod retry_after;
mod rule_update;
pub mod s1ql;
mod text;
mod token;
mod token_expiry;
mod transport;
#[cfg(feature = "unified-alerts")]
pub mod unified_alerts;

#[cfg(feature = "commands")]
pub mod commands;
pub mod resources;

/// The type of bodies in this crate.
pub use ::bytes;
/// The types of requests, responses, status codes and headers in this crate.
pub use ::http;
/// The time library, whose timestamps convert to and from [`Timestamp`].
pub use ::jiff;
pub use sentinelone_raw as raw;
pub use sentinelone_raw::runtime::{
    AffectedCount, ApiVersion, Data, DecodeError, End, FilePart, FilterRequirement, InvalidTimestampError,
    JsonBody, OpenEnum, Operation, OperationKind, Page, ParseTimestampError, Permissions, RawItem, Request,
    RequestError, RequestErrorKind, RequestFormat, ResponseBody, Secret, Security, Tier, Timestamp,
    Undocumented, parse_timestamp,
};

pub use builder::ClientBuilder;
pub use client::Client;
pub use console_url::{ConsoleUrl, ConsoleUrlError};
pub use error::{ApiError, Delivery, Error, ErrorKind, ErrorReport};
pub use items::Items;
pub use json_repair::{Repair, RepairKind, Repairs};
pub use outcome::{IdOutcome, IdState};
pub use paging::Pages;
pub use parallel::ParallelPages;
pub use resources::all::*;
pub use response::Response;
pub use text::replace_control_chars;
pub use token::{ApiToken, TokenError, TokenWarning};
pub use token_expiry::TokenDetails;
pub use transport::{
    Clock, HttpTransport, RateLimits, RawExchange, Recorder, RetryPolicy, SleepFuture, TransportBody,
    TransportError, TransportFuture,
};

/// The result of a fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles the examples of the guide.
#[cfg(all(doctest, feature = "commands"))]
mod guide {
    #[doc = include_str!("../docs/guide/getting-started.md")]
    struct GettingStarted;

    #[doc = include_str!("../docs/guide/authentication.md")]
    struct Authentication;

    #[doc = include_str!("../docs/guide/listing.md")]
    struct Listing;

    #[doc = include_str!("../docs/guide/actions.md")]
    struct Actions;

    #[doc = include_str!("../docs/guide/many-ids.md")]
    struct ManyIds;

    #[doc = include_str!("../docs/guide/errors.md")]
    struct Errors;

    #[doc = include_str!("../docs/guide/retries.md")]
    struct Retries;

    #[doc = include_str!("../docs/guide/files.md")]
    struct Files;

    #[doc = include_str!("../docs/guide/queries-and-scripts.md")]
    struct QueriesAndScripts;

    #[doc = include_str!("../docs/guide/incidents.md")]
    struct Incidents;

    #[doc = include_str!("../docs/guide/integration-commands.md")]
    struct IntegrationCommands;

    #[doc = include_str!("../docs/guide/command-line.md")]
    struct CommandLine;

    #[doc = include_str!("../docs/guide/contract-testing.md")]
    struct ContractTesting;

    #[doc = include_str!("../docs/guide/sandbox.md")]
    struct Sandbox;

    #[doc = include_str!("../docs/guide/testing.md")]
    struct Testing;

    #[doc = include_str!("../docs/guide/observability.md")]
    struct Observability;
}

/// Programs that do not compile, so that the crate can change without breaking others.
#[cfg(all(doctest, feature = "commands"))]
mod rejected {
    /// A request grows by fields: a struct literal is rejected, and constructors and setters are used instead.
    ///
    /// ```compile_fail,E0639
    /// use sentinelone::threats::ThreatFilter;
    /// let filter = ThreatFilter { ids: Some(vec!["1".to_owned()]), ..ThreatFilter::default() };
    /// ```
    ///
    /// ```compile_fail,E0639
    /// use sentinelone::commands::UpdateThreatsStatus;
    /// let command = UpdateThreatsStatus { status: "resolved".into(), threat_ids: vec!["1".to_owned()] };
    /// ```
    struct Literals;

    /// Errors and other enums grow by variants: a match needs a wildcard.
    ///
    /// ```compile_fail,E0004
    /// fn is_sent(delivery: sentinelone::Delivery) -> bool {
    ///     match delivery {
    ///         sentinelone::Delivery::NotSent => false,
    ///         sentinelone::Delivery::Unknown | sentinelone::Delivery::Delivered => true,
    ///     }
    /// }
    /// ```
    struct Variants;

    /// Traits that grow by methods cannot be implemented.
    ///
    /// ```compile_fail,E0277
    /// #[derive(Debug)]
    /// struct Mine;
    /// impl sentinelone::commands::Command for Mine {}
    /// ```
    ///
    /// ```compile_fail,E0277
    /// struct Mine;
    /// impl sentinelone::resources::CountableQuery for Mine {}
    /// ```
    struct Traits;

    /// An outcome says whether an action was applied: a program that ignores one has a warning.
    ///
    /// ```compile_fail
    /// #![deny(unused_must_use)]
    /// # use sentinelone::commands::{Command, NoProgress, ResolveThreat};
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// ResolveThreat::new(["1"]).run(&client, &NoProgress).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```compile_fail
    /// #![deny(unused_must_use)]
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// client.sites().expire("1").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    struct Outcomes;
}
