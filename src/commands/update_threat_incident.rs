//! Swimlane's "Update Threat Incident": `POST /threats/incident` with all its filters.

use sentinelone_raw::runtime::{ApiVersion, FieldKind, FieldValue, Fields, Filter, OpenEnum, Request};
use sentinelone_raw::threats::{
    self as raw, AnalystVerdict, IncidentStatus, ThreatFilter, ThreatIncidentData,
    ThreatsUpdateIncidentRequest,
};
use serde_json::json;

use super::arguments::argument_error;
use super::support::batch_action::{batch_requests, run_action};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;

/// Sets the incident status, and optionally the analyst verdict, of all threats that match a filter. Each field of the
/// filter is an argument.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateThreatIncident {
    /// Incident status.
    pub incident_status: IncidentStatus,
    /// Analyst verdict.
    pub analyst_verdict: Option<AnalystVerdict>,
    /// Filter of the threats.
    pub filter: ThreatFilter,
    /// Whether to update all threats in scope. Without it, a filter without a selective field is rejected.
    pub everything_in_scope: bool,
}

const NOT_SELECTIVE: &str = "is not selective, so the command would update all threats in scope; set a \
                             field such as ids or computer_name_contains (limit, tenant and counts_for are \
                             not selective), or everything_in_scope";

impl Command for UpdateThreatIncident {
    const INFO: CommandInfo = CommandInfo {
        name: "update-threat-incident",
        full_name: "sentinelone-update-threat-incident",
        topic: Topic::Threats,
        summary: "Set the status and verdict of threats by filter",
        example: "s1 update-threat-incident --incident-status resolved --computer-name-contains \
                  web-01,web-02",
        versions: &[ApiVersion::V2_1],
        is_action: true,
        destructive: false,
        requires_confirmation: false,
        operations: &["threats_update_incident"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::computed("status_code", "Number", "HTTP status code of the response"),
        ContextPath::computed("reason", "String", "Reason phrase of the status code"),
        ContextPath::computed("json_body.data.affected", "Number", "Number of updated threats"),
        ContextPath::computed(
            "json_body.data.details.result",
            "String",
            "Result of the status of each threat",
        ),
        ContextPath::computed(
            "json_body.data.details.analystVerdict",
            "String",
            "Result of the verdict of each threat",
        ),
        ContextPath::computed("json_body.data.details.threatId", "String", "ID of the threat"),
        ContextPath::computed("json_body.errors", "Object", "Errors of the response"),
    ];

    fn arguments() -> Vec<Argument> {
        let mut arguments = vec![
            Argument::new("incident_status", ArgumentKind::String, "Incident status.")
                .required()
                .values(IncidentStatus::VALUES),
            Argument::new("analyst_verdict", ArgumentKind::String, "Analyst verdict.")
                .values(AnalystVerdict::VALUES),
        ];
        arguments.extend(ThreatFilter::FIELDS.iter().map(Argument::from_field));
        arguments.push(
            Argument::new(
                "everything_in_scope",
                ArgumentKind::Boolean,
                "Whether to update all threats in the scope of the token if no filter is set.",
            )
            .default("false"),
        );
        arguments
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let mut filter = ThreatFilter::default();
        for field in ThreatFilter::FIELDS {
            let name = field.rust_name;
            let value = match field.kind {
                FieldKind::List => arguments.list(name)?.map(FieldValue::List),
                FieldKind::Boolean => arguments.boolean(name)?.map(FieldValue::Boolean),
                FieldKind::Integer => arguments.integer(name)?.map(FieldValue::Integer),
                FieldKind::Timestamp => {
                    arguments.time(name)?.map(|time| FieldValue::String(time.to_string()))
                }
                _ => arguments.string(name)?.map(FieldValue::String),
            };
            let Some(value) = value else { continue };
            if let FieldValue::List(items) = &value {
                items.iter().try_for_each(|item| arguments.check_value(name, item, field.enum_values))?;
            }
            filter.set(field.name, value).map_err(|_| arguments.error(name, "cannot be set"))?;
        }
        Ok(Self {
            incident_status: arguments.required_choice("incident_status", IncidentStatus::VALUES)?,
            analyst_verdict: arguments.choice("analyst_verdict", AnalystVerdict::VALUES)?,
            filter,
            everything_in_scope: arguments.boolean("everything_in_scope")?.unwrap_or(false),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let build = |filter: ThreatFilter| {
            let data = ThreatIncidentData {
                analyst_verdict: self.analyst_verdict.clone(),
                ..ThreatIncidentData::new(self.incident_status.clone())
            };
            let request = raw::update_incident(&ThreatsUpdateIncidentRequest::new(data, filter))?;
            Ok(if self.everything_in_scope { request.everything_in_scope() } else { request })
        };
        let max = ThreatFilter::FIELDS
            .iter()
            .find(|field| field.name == "ids")
            .and_then(|field| field.item_count.1);
        let ids = self.filter.ids.as_ref().map_or(0, |ids| ids.len() as u64);
        if self.filter.limit.is_some() && max.is_some_and(|max| ids > max) {
            // The limit applies to each request, so several requests would exceed it.
            let message = format!(
                "cannot be used with more than {} ids, the maximum of one request",
                max.unwrap_or(ids)
            );
            return Err(argument_error(Self::INFO.name, "limit", message));
        }
        let requests = match &self.filter.ids {
            Some(ids) if !ids.is_empty() => {
                batch_requests(self, ("ids", ids), ThreatFilter::FIELDS, |ids| {
                    build(ThreatFilter { ids: Some(ids), ..self.filter.clone() })
                })?
            }
            _ => vec![build(self.filter.clone())?.with_response_type()],
        };
        if !self.everything_in_scope && !requests.iter().all(Request::has_selective_filter) {
            return Err(argument_error(Self::INFO.name, "filter", NOT_SELECTIVE));
        }
        Ok(requests)
    }

    async fn execute(&self, client: &Client, actions: Requests, _: &dyn ProgressObserver) -> Result<Outcome> {
        let (mut outcome, statuses) = run_action(client, actions).await?;
        // The status is null if no request was sent, because the journal has all outcomes.
        let status = statuses.last().copied();
        let reason = status.and_then(|status| http::StatusCode::from_u16(status).ok()?.canonical_reason());
        outcome.context = json!({ "status_code": status, "reason": reason, "json_body": outcome.response });
        Ok(outcome)
    }
}
