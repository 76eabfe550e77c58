//! `sentinelone-list-agents`: lists agents.

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsListQuery};
use sentinelone_raw::runtime::{ApiVersion, Field, FieldKind, FieldValue, Fields, Filter, Timestamp};
use sentinelone_raw::threats::{OsType, ScanStatus};
use serde_json::Value;

use super::arguments::argument_error;
use super::support::agents::agent_outputs;
use super::support::batched_lists::non_empty;
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::list_entries::ContextEntries;
use super::support::list_pages::{Keep, list};
use super::support::requested_ids::RequestedIds;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::json_path::set_path;
use crate::paging::with_page_size;

const DEFAULT_LIMIT: u64 = 10;

/// Lists agents that match all filters, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListAgents {
    /// Substring of the computer name.
    pub computer_name: Option<String>,
    /// Statuses of the last full disk scan.
    pub scan_status: Vec<ScanStatus>,
    /// Operating systems.
    pub os_type: Vec<OsType>,
    /// Created at or after this time.
    pub created_at: Option<Timestamp>,
    /// Minimum number of active threats. 0 does not filter.
    pub min_active_threats: Option<u64>,
    /// Maximum number of items. Default: 10.
    pub limit: Option<u64>,
    /// Further filters.
    pub params: AgentFilter,
    /// Additional agent fields for the context, with the names of the API.
    pub columns: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agents";
const SCAN_STATUSES: &[&str] = &["started", "none", "finished", "aborted"];
const OS_TYPES: &[&str] = &["windows", "windows_legacy", "macos", "linux"];

impl Command for ListAgents {
    const INFO: CommandInfo = CommandInfo {
        name: "list-agents",
        full_name: "sentinelone-list-agents",
        topic: Topic::Agents,
        summary: "List agents",
        example: "s1 list-agents --os-type linux --limit 50",
        versions: ApiVersion::ALL,
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["agents_list"],
    };

    const OUTPUTS: &'static [ContextPath] = agent_outputs!(
        "SentinelOne.Agents",
        ContextPath::field("SentinelOne.Agents.Tags", "Unknown", "Tags of the agent", "tags").no_column()
    );

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, String, Time};
        vec![
            Argument::new("computer_name", String, "Substring of the computer name."),
            Argument::new("scan_status", List, "Statuses of the last full disk scan; any of them matches.")
                .values(SCAN_STATUSES),
            Argument::new("os_type", List, "Operating systems; any of them matches.").values(OS_TYPES),
            Argument::new(
                "created_at",
                Time,
                "Created at or after this time. The API has no filter for an exact time.",
            ),
            Argument::new(
                "min_active_threats",
                Integer,
                "Minimum number of active threats. 0 does not filter.",
            ),
            Argument::new("limit", Integer, "Maximum number of agents.").default("10").accepts_all(),
            Argument::new(
                "params",
                List,
                "Further filters as field=value pairs with the field names of the API, such as \
                 infected=true. Agents must match all fields. Repeat a list field in several pairs; any of \
                 its values matches. Use a JSON array of pairs if a value contains a comma.",
            ),
            Argument::new(
                "columns",
                List,
                "Additional agent fields for the context, with the names of the API, such as uuid.",
            ),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let min_active_threats = match arguments.integer("min_active_threats")?.map(u64::try_from) {
            None => None,
            Some(Ok(count)) => Some(count),
            Some(Err(_)) => {
                return Err(
                    arguments.error("min_active_threats", "is negative; expected a number of at least 0")
                );
            }
        };
        Ok(Self {
            computer_name: arguments.string("computer_name")?,
            scan_status: arguments.choices("scan_status", SCAN_STATUSES)?,
            os_type: arguments.choices("os_type", OS_TYPES)?,
            created_at: arguments.time("created_at")?,
            min_active_threats,
            limit: arguments.limit()?,
            params: parse_params(arguments)?,
            columns: arguments.list("columns")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let above = match self.min_threats().map(|min| i64::try_from(min - 1)) {
            None => None,
            Some(Ok(above)) => Some(above),
            Some(Err(_)) => {
                return Err(argument_error(Self::INFO.name, "min_active_threats", "is too large"));
            }
        };
        let mut filter = self.params.clone();
        set(&mut filter.computer_name_like, self.computer_name.clone(), "computer_name")?;
        set(&mut filter.scan_statuses, non_empty(&self.scan_status), "scan_status")?;
        set(&mut filter.os_types, non_empty(&self.os_type), "os_type")?;
        set(&mut filter.created_at_gte, self.created_at.clone(), "created_at")?;
        set(&mut filter.active_threats_gt, above, "min_active_threats")?;
        let request = raw::list(&AgentsListQuery::default().filter(filter))?;
        // If agents may be dropped here, small pages would need a request per kept agent.
        let page_limit = self.min_threats().is_none().then(|| self.effective_limit());
        Ok(vec![with_page_size(request, page_limit)?.with_response_type()])
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let limit = Some(self.effective_limit());
        // The API document also describes the filter as "at least", so the items are filtered here too.
        let keep =
            |agent: &Value| match (self.min_threats(), agent.get("activeThreats").and_then(Value::as_u64)) {
                (Some(min), Some(count)) => count >= min,
                _ => true,
            };
        let ids = |ids: &Option<Vec<String>>| ids.clone().unwrap_or_default();
        let requested = RequestedIds::default()
            .with("params.ids", &ids(&self.params.ids), &["id"])
            .with("params.uuids", &ids(&self.params.uuids), &["uuid"])
            .with_one("params.computerName", self.params.computer_name.as_ref());
        let add_columns = |_: usize, agent: &Value, entry: &mut Value| {
            for column in &self.columns {
                if let Some(value) = agent.get(column).filter(|value| !value.is_null()) {
                    set_path(entry, column, value.clone());
                }
            }
        };
        let mut entries = ContextEntries::from((PREFIX, Self::OUTPUTS));
        if !self.columns.is_empty() {
            entries = entries.filled(&add_columns);
        }
        let keep: Keep<'_> = if self.min_threats().is_some() { Some(&keep) } else { None };
        list((client, observer, &requested), requests, limit, keep, entries).await
    }
}

impl ListAgents {
    fn effective_limit(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Returns the minimum number of active threats, or `None` if it is 0.
    fn min_threats(&self) -> Option<u64> {
        self.min_active_threats.filter(|min| *min > 0)
    }
}

/// Sets a field of the filter. Returns an error if `params` has set it.
fn set<T>(field: &mut Option<T>, value: Option<T>, argument: &str) -> Result<()> {
    if value.is_none() {
        return Ok(());
    }
    if field.is_some() {
        let message = format!("contains the field of {argument}; set only one of them");
        return Err(argument_error(ListAgents::INFO.name, "params", message));
    }
    *field = value;
    Ok(())
}

/// Parses the argument `params` into a filter.
fn parse_params(arguments: &mut Arguments) -> Result<AgentFilter, ArgumentError> {
    let mut fields: Vec<&Field> = Vec::new();
    for pair in arguments.list("params")?.unwrap_or_default() {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(
                arguments.error("params", format!("contains {pair:?}, which is not a field=value pair"))
            );
        };
        let name = name.trim();
        let Some(field) = AgentFilter::FIELDS.iter().find(|field| field.name == name) else {
            let message = format!("contains {name:?}, which is not a filter field of agents");
            return Err(arguments.error("params", message));
        };
        if !fields.iter().any(|other| other.name == field.name) {
            fields.push(field);
        }
        // Each field is parsed like a separate argument.
        arguments.add(&params_key(field), value);
    }
    let mut filter = AgentFilter::default();
    for field in fields {
        let name = &params_key(field);
        let value = match field.kind {
            FieldKind::List => arguments.list(name)?.map(FieldValue::List),
            FieldKind::Boolean => arguments.boolean(name)?.map(FieldValue::Boolean),
            FieldKind::Integer => arguments.integer(name)?.map(FieldValue::Integer),
            FieldKind::Timestamp => arguments.time(name)?.map(|time| FieldValue::String(time.to_string())),
            _ => arguments.string(name)?.map(|text| FieldValue::String(text.trim().to_owned())),
        };
        let Some(value) = value else { continue };
        match &value {
            FieldValue::List(items) => {
                items.iter().try_for_each(|item| arguments.check_value(name, item, field.enum_values))?;
            }
            FieldValue::String(text) => arguments.check_value(name, text, field.enum_values)?,
            _ => {}
        }
        filter
            .set(field.name, value)
            .map_err(|_| arguments.error(name, "is not a valid value of the field"))?;
    }
    Ok(filter)
}

fn params_key(field: &Field) -> String {
    format!("params.{}", field.name)
}
