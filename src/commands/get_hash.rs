//! `sentinelone-get-hash`: returns the reputation of a file hash.

use sentinelone_raw::hashes as raw;
use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Value, json};

use super::argument_error::argument_error;
use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::support::ids::is_hexadecimal;
use super::support::list_pages::get;
use super::{CommandDeclaration, GetHash, Outcome};
use crate::Result;
use crate::json_path::set_path;

impl Behavior for GetHash {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
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

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let mut outcome = get::<Self, Value>(run, Some(("hash", &self.hash))).await?;
        set_path(&mut outcome.context, &format!("{}.Hash", Self::INFO.context), json!(self.hash));
        Ok(outcome)
    }
}
