//! `get-mapping-fields`: returns the fields of outgoing mirroring.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Map, json};

use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::incidents::{INCIDENT_TYPE, ThreatMirror};

/// Returns the fields that outgoing mirroring changes on the console, by incident type. It sends no request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GetMappingFields;

impl Command for GetMappingFields {
    const INFO: CommandInfo = CommandInfo {
        name: "get-mapping-fields",
        full_name: "get-mapping-fields",
        topic: Topic::Incidents,
        summary: "List the fields that mirroring sends to the console",
        example: "s1 get-mapping-fields",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &[],
    };

    const OUTPUTS: &'static [ContextPath] = &[];

    fn arguments() -> Vec<Argument> {
        Vec::new()
    }

    fn from_arguments(_: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self)
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(Vec::new())
    }

    async fn execute(&self, _: &Client, _: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let fields = ThreatMirror::mapping_fields().iter();
        let fields: Map<_, _> =
            fields.map(|field| (field.name.to_owned(), json!(field.description))).collect();
        let response = json!({ INCIDENT_TYPE: fields });
        Ok(Outcome::new(response.clone(), response))
    }
}
