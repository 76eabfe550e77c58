//! `sentinelone-get-hash`: what the vendor thinks of a file.

use sentinelone_raw::hashes as raw;
use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Value, json};

use super::act::refuse;
use super::context::Output;
use super::lists::required_id;
use super::read::get;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;

/// The verdict on a file, by its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct GetHash {
    /// SHA-1 of the file.
    pub hash: String,
}

const PREFIX: &str = "SentinelOne.Hash";

impl Command for GetHash {
    const INFO: Info = Info {
        name: "get-hash",
        full_name: "sentinelone-get-hash",
        summary: "Get the vendor's verdict on a file by its SHA-1",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["hashes_get_verdict"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Hash.Hash", "String", "The hash", "hash"),
        Output::field(
            "SentinelOne.Hash.Verdict",
            "String",
            "Whether the file is malicious, non-malicious or unknown",
            "verdict",
        ),
        Output::never(
            "SentinelOne.Hash.Rank",
            "Number",
            "Reputation, 1 to 10",
            "the API answers a verdict without a rank",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![
            Argument::new("hash", ArgumentKind::Text, "SHA-1 of the file, 40 hexadecimal characters.")
                .required(),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { hash: required_id(arguments, "hash")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let mut outcome = get(client, &self.request()?, (PREFIX, Self::OUTPUTS)).await?;
        put(&mut outcome.context, &format!("{PREFIX}.Hash"), json!(self.hash));
        Ok(outcome)
    }
}

impl GetHash {
    fn request(&self) -> Result<Request<Value>> {
        let count = self.hash.chars().count();
        let wrong = if !is_hexadecimal(&self.hash) {
            Some("holds characters that are not hexadecimal".to_owned())
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
        match wrong {
            Some(wrong) => {
                let message = format!("{wrong}; the API takes a SHA-1: 40 hexadecimal characters");
                Err(refuse(Self::INFO.name, "hash", message))
            }
            None => Ok(raw::get_verdict(&self.hash)?.answering()),
        }
    }
}

pub(super) fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
