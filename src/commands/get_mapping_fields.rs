//! `get-mapping-fields`: what the mirroring sends to the console.

use sentinelone_raw::runtime::{ApiVersion, Request};
use serde_json::{Map, Value, json};

use super::context::Output;
use super::{Argument, ArgumentError, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;
use crate::incidents::{INCIDENT_TYPE, ThreatMirror};

/// The fields of a threat that the mirroring changes on the console, by type of incident. It sends nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetMappingFields;

impl Command for GetMappingFields {
    const INFO: Info = Info {
        name: "get-mapping-fields",
        full_name: "get-mapping-fields",
        summary: "List the fields that mirroring sends to the console",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &[],
    };

    const OUTPUTS: &'static [Output] = &[];

    fn arguments() -> Vec<Argument> {
        Vec::new()
    }

    fn read(_: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self)
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(Vec::new())
    }

    async fn run(&self, _: &Client) -> Result<Outcome> {
        let fields = ThreatMirror::mapping_fields().iter();
        let fields: Map<_, _> = fields.map(|one| (one.name.to_owned(), json!(one.description))).collect();
        let answer = json!({ INCIDENT_TYPE: fields });
        Ok(Outcome::found(answer.clone(), answer))
    }
}
