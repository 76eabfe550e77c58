//! `get-mapping-fields`: returns the fields of outgoing mirroring.

use sentinelone_raw::runtime::ApiVersion;
use serde_json::{Map, json};

use super::command::{Behavior, Run};
use super::support::execution::Requests;
use super::{GetMappingFields, Outcome};
use crate::Result;
use crate::incidents::{INCIDENT_TYPE, ThreatMirror};

impl Behavior for GetMappingFields {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        Ok(Vec::new())
    }

    async fn execute(&self, _: Run<'_>) -> Result<Outcome> {
        let fields = ThreatMirror::mapping_fields().iter();
        let fields: Map<_, _> =
            fields.map(|field| (field.name.to_owned(), json!(field.description))).collect();
        let response = json!({ INCIDENT_TYPE: fields });
        Ok(Outcome::new(response.clone(), response))
    }
}
