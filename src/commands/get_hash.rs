//! `sentinelone-get-hash`: returns the reputation of a file hash.

use sentinelone_raw::hashes as raw;
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::arguments::argument_error;
use super::support::batched_lists::required_id;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_pages::get;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;

/// Returns the reputation of a file by its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct GetHash {
    /// SHA-1 of the file.
    pub hash: String,
}

const PREFIX: &str = "SentinelOne.Hash";

impl Command for GetHash {
    const INFO: CommandInfo = CommandInfo {
        name: "get-hash",
        full_name: "sentinelone-get-hash",
        topic: Topic::Files,
        summary: "Get the reputation of a file by its SHA-1",
        example: "s1 get-hash --hash 3395856ce81f2b7382dee72602f798b642f14140",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["hashes_get_verdict"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::argument("SentinelOne.Hash.Hash", "String", "The hash", "hash"),
        ContextPath::field(
            "SentinelOne.Hash.Verdict",
            "String",
            "Reputation: malicious, non-malicious or unknown",
            "verdict",
        ),
        ContextPath::unavailable(
            "SentinelOne.Hash.Rank",
            "Number",
            "Rank, 1 to 10",
            "the API returns a verdict without a rank",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("hash", ArgumentKind::String, "SHA-1 of the file, 40 hexadecimal characters.")
                .required(),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { hash: required_id(arguments, "hash")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let count = self.hash.chars().count();
        let problem = if !is_hexadecimal(&self.hash) {
            Some("contains characters that are not hexadecimal".to_owned())
        } else if count != 40 {
            let kind = match count {
                32 => ", as an MD5",
                64 => ", as a SHA-256",
                128 => ", as a SHA-512",
                _ => "",
            };
            Some(format!("has {count} characters{kind}"))
        } else {
            None
        };
        match problem {
            Some(problem) => {
                let message = format!("{problem}; expected a SHA-1 of 40 hexadecimal characters");
                Err(argument_error(Self::INFO.name, "hash", message))
            }
            None => Ok(vec![raw::get_verdict(&self.hash)?.with_response_type()]),
        }
    }

    async fn execute(&self, client: &Client, reads: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let mut outcome =
            get::<Value>(client, reads, Some(("hash", &self.hash)), (PREFIX, Self::OUTPUTS)).await?;
        set_path(&mut outcome.context, &format!("{PREFIX}.Hash"), json!(self.hash));
        Ok(outcome)
    }
}

pub(super) fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
