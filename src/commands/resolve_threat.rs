//! `sentinelone-resolve-threat`: threats are resolved, on API 2.0.

use sentinelone_raw::runtime::{ApiVersion, Fields, Request};
use sentinelone_raw::threats::{self as raw, LegacyThreatFilter, LegacyThreatResolution};
use serde_json::Value;

use super::act::{act, batches, contexts, known};
use super::context::{Output, put};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Resolves threats. API 2.0 only; on 2.1 it is
/// [`UpdateThreatsStatus`](super::UpdateThreatsStatus) with the status `resolved`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolveThreat {
    /// The threats.
    pub threat_ids: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Threat";

impl Command for ResolveThreat {
    const INFO: Info = Info {
        name: "resolve-threat",
        full_name: "sentinelone-resolve-threat",
        summary: "Resolve threats",
        versions: &[ApiVersion::V2_0],
        acts: true,
        destructive: false,
    };

    const OUTPUTS: &'static [Output] = &[
        Output::argument("SentinelOne.Threat.ID", "String", "Identifier of the threat", "threat_ids"),
        Output::computed(
            "SentinelOne.Threat.Resolved",
            "Boolean",
            "Whether it was resolved; null when nobody knows",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        vec![Argument::new("threat_ids", ArgumentKind::List, "Identifiers of the threats.").required()]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self { threat_ids: arguments.required_list("threat_ids")? })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        batches(&self.threat_ids, LegacyThreatFilter::FIELDS)
            .into_iter()
            .map(|ids| {
                let filter = LegacyThreatFilter::default().ids(ids);
                Ok(raw::mark_as_resolved(&LegacyThreatResolution::new(filter))?.answering())
            })
            .collect()
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, _) = act(client, self.requests(client.api_version())?).await?;
        outcome.context = contexts(PREFIX, &outcome.ids, |one, entry| put(entry, "Resolved", known(one)));
        Ok(outcome)
    }
}
