//! Swimlane's "Update Threat Incident": the whole of `POST /threats/incident`.

use sentinelone_raw::runtime::{ApiVersion, FieldKind, Fields, Filter, OpenEnum, Request, Setting};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, ThreatFilter, ThreatIncidentData, ThreatIncidentUpdate,
};
use serde_json::{Value, json};

use super::act::{act, refuse, requests};
use super::context::Output;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome};
use crate::Result;
use crate::client::Client;

/// Sets the incident status, and the analyst verdict if one is given, of all threats that a filter
/// selects. Every field of the filter is an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatIncident {
    /// The status.
    pub incident_status: IncidentStatus,
    /// The verdict.
    pub analyst_verdict: Option<AnalystVerdict>,
    /// What to update.
    pub filter: ThreatFilter,
    /// Says that every threat in scope is meant. Without it a filter that selects nothing in particular
    /// is refused.
    pub everything_in_scope: bool,
}

const NOTHING_SELECTED: &str = "selects nothing in particular, so this would update every threat in scope; give a \
     field such as ids or computer_name_contains (limit, tenant and counts_for select nothing), or say \
     everything_in_scope";

impl Command for UpdateThreatIncident {
    const INFO: Info = Info {
        name: "update-threat-incident",
        full_name: "sentinelone-update-threat-incident",
        summary: "Set incident status and verdict of all threats that a filter selects",
        versions: &[ApiVersion::V2_1],
        acts: true,
        destructive: false,
        asks: false,
        operations: &["threats_update_incident"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::computed("status_code", "Number", "HTTP status of the answer"),
        Output::computed("reason", "String", "The words that go with it"),
        Output::computed("json_body.data.affected", "Number", "How many threats were updated"),
        Output::computed(
            "json_body.data.details.result",
            "String",
            "What came of the status, for each threat",
        ),
        Output::computed(
            "json_body.data.details.analystVerdict",
            "String",
            "What came of the verdict, for each threat",
        ),
        Output::computed("json_body.data.details.threatId", "String", "Identifier of the threat"),
        Output::computed("json_body.errors", "Object", "Errors that came with the answer"),
    ];

    fn arguments() -> Vec<Argument> {
        let mut arguments = vec![
            Argument::new("incident_status", ArgumentKind::Text, "The incident status to set.")
                .required()
                .values(IncidentStatus::KNOWN),
            Argument::new("analyst_verdict", ArgumentKind::Text, "The analyst verdict to set too.")
                .values(AnalystVerdict::KNOWN),
        ];
        arguments.extend(ThreatFilter::FIELDS.iter().map(Argument::of_field));
        arguments.push(
            Argument::new(
                "everything_in_scope",
                ArgumentKind::Boolean,
                "Says that every threat in the scope of the token is meant when no filter is given.",
            )
            .default("false"),
        );
        arguments
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let mut filter = ThreatFilter::default();
        for field in ThreatFilter::FIELDS {
            let name = field.rust_name;
            let setting = match field.kind {
                FieldKind::List => arguments.list(name)?.map(Setting::List),
                FieldKind::Boolean => arguments.boolean(name)?.map(Setting::Boolean),
                FieldKind::Integer => arguments.integer(name)?.map(Setting::Integer),
                FieldKind::Timestamp => arguments.time(name)?.map(|time| Setting::Text(time.to_string())),
                _ => arguments.text(name)?.map(Setting::Text),
            };
            let Some(setting) = setting else { continue };
            if let Setting::List(items) = &setting {
                items.iter().try_for_each(|item| arguments.one_of(name, item, field.known))?;
            }
            filter.set(field.name, setting).map_err(|_| arguments.wrong(name, "cannot be set"))?;
        }
        Ok(Self {
            incident_status: arguments.required_choice("incident_status", IncidentStatus::KNOWN)?,
            analyst_verdict: arguments.choice("analyst_verdict", AnalystVerdict::KNOWN)?,
            filter,
            everything_in_scope: arguments.boolean("everything_in_scope")?.unwrap_or(false),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        let build = |filter: ThreatFilter| {
            let data = ThreatIncidentData {
                analyst_verdict: self.analyst_verdict.clone(),
                ..ThreatIncidentData::new(self.incident_status.clone())
            };
            let request = raw::update_incident(&ThreatIncidentUpdate::new(data, filter))?;
            Ok(if self.everything_in_scope { request.everything_in_scope() } else { request })
        };
        let most =
            ThreatFilter::FIELDS.iter().find(|field| field.name == "ids").and_then(|field| field.items.1);
        let ids = self.filter.ids.as_ref().map_or(0, |ids| ids.len() as u64);
        if self.filter.limit.is_some() && most.is_some_and(|most| ids > most) {
            // Each request has a limit of its own, so that together they would reach further than it.
            let message =
                format!("goes with at most {} ids, which is what one request holds", most.unwrap_or(ids));
            return Err(refuse(Self::INFO.name, "limit", message));
        }
        let requests = match &self.filter.ids {
            Some(ids) if !ids.is_empty() => requests(self, ("ids", ids), ThreatFilter::FIELDS, |ids| {
                build(ThreatFilter { ids: Some(ids), ..self.filter.clone() })
            })?,
            _ => vec![build(self.filter.clone())?.answering()],
        };
        if !self.everything_in_scope && !requests.iter().all(Request::selects) {
            return Err(refuse(Self::INFO.name, "filter", NOTHING_SELECTED));
        }
        Ok(requests)
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        let (mut outcome, statuses) = act(client, self.requests(client.api_version())?).await?;
        let status = statuses.last().copied().unwrap_or_default();
        let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        outcome.context = json!({ "status_code": status, "reason": reason, "json_body": outcome.answer });
        Ok(outcome)
    }
}
