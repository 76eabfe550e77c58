//! `sentinelone-list-agents`: agents that match.

use sentinelone_raw::agents::{self as raw, AgentFilter, AgentsListQuery};
use sentinelone_raw::runtime::{
    ApiVersion, Field, FieldKind, Fields, Filter, Page, Request, Setting, Timestamp,
};
use sentinelone_raw::threats::{OsType, ScanStatus};
use serde_json::Value;

use super::act::refuse;
use super::agents::agent_outputs;
use super::context::Output;
use super::lists::given;
use super::read::list;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;
use crate::dotted::put;
use crate::paging::sized;

const DEFAULT_LIMIT: u64 = 10;

/// Agents that match every condition, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListAgents {
    /// A part of the computer's name.
    pub computer_name: Option<String>,
    /// States of the last full disk scan; any of them will do.
    pub scan_status: Vec<ScanStatus>,
    /// Operating systems; any of them will do.
    pub os_type: Vec<OsType>,
    /// Recorded then or after.
    pub created_at: Option<Timestamp>,
    /// Fewest active threats. With 0 it is no condition.
    pub min_active_threats: Option<u64>,
    /// How many at the most; without it 10.
    pub limit: Option<u64>,
    /// Further conditions, all of which must hold.
    pub params: AgentFilter,
    /// Further fields of agents for the context, by their names in the answer.
    pub columns: Vec<String>,
}

const PREFIX: &str = "SentinelOne.Agents";
const SCAN_STATUSES: &[&str] = &["started", "none", "finished", "aborted"];
const OS_TYPES: &[&str] = &["windows", "windows_legacy", "macos", "linux"];

impl Command for ListAgents {
    const INFO: Info = Info {
        name: "list-agents",
        full_name: "sentinelone-list-agents",
        summary: "List the agents that match",
        versions: ApiVersion::ALL,
        acts: false,
        destructive: false,
        asks: false,
        operations: &["agents_list"],
    };

    const OUTPUTS: &'static [Output] = agent_outputs!(
        "SentinelOne.Agents",
        Output::field("SentinelOne.Agents.Tags", "Unknown", "Tags of the agent", "tags").no_column()
    );

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, Text, Time};
        vec![
            Argument::new("computer_name", Text, "A part of the computer's name."),
            Argument::new("scan_status", List, "States of the last full disk scan; any of them will do.")
                .values(SCAN_STATUSES),
            Argument::new("os_type", List, "Operating systems; any of them will do.").values(OS_TYPES),
            Argument::new(
                "created_at",
                Time,
                "Recorded by the console at this time or after. The API has no condition for one exact time.",
            ),
            Argument::new(
                "min_active_threats",
                Integer,
                "How many active threats an agent has at least. With 0 it is no condition.",
            ),
            Argument::new("limit", Integer, "How many agents at the most.").default("10").or_all(),
            Argument::new(
                "params",
                List,
                "Further conditions as field=value pairs, with the names of the API, such as infected=true. All of \
                 them must hold, since the API cannot say \"or\" between fields. A field that takes several values \
                 may be given in several pairs, and any of its values will do. As a JSON array of pairs where a \
                 value holds a comma.",
            ),
            Argument::new(
                "columns",
                List,
                "Further fields of the agents for the context, by their names in the answer, such as uuid.",
            ),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let min_active_threats = match arguments.integer("min_active_threats")?.map(u64::try_from) {
            None => None,
            Some(Ok(count)) => Some(count),
            Some(Err(_)) => {
                return Err(arguments.wrong("min_active_threats", "is below zero; give a number from 0"));
            }
        };
        Ok(Self {
            computer_name: arguments.text("computer_name")?,
            scan_status: arguments.choices("scan_status", SCAN_STATUSES)?,
            os_type: arguments.choices("os_type", OS_TYPES)?,
            created_at: arguments.time("created_at")?,
            min_active_threats,
            limit: arguments.limit()?,
            params: conditions(arguments)?,
            columns: arguments.list("columns")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(vec![self.request()?.answering()])
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        let limit = Some(self.wanted());
        // The vendor's document describes the condition as "at least" too: what it lets pass is looked at again.
        let keep = |agent: &Value| match (self.least(), agent.get("activeThreats").and_then(Value::as_u64)) {
            (Some(least), Some(count)) => count >= least,
            _ => true,
        };
        let mut outcome =
            list((client, watch), self.request()?, limit, keep, (PREFIX, Self::OUTPUTS)).await?;
        let agents = outcome.answer.get("data").and_then(Value::as_array);
        let place = format!("/{}", PREFIX.replace('.', "/"));
        let entries = outcome.context.pointer_mut(&place).and_then(Value::as_array_mut);
        for (agent, entry) in agents.into_iter().flatten().zip(entries.into_iter().flatten()) {
            for column in &self.columns {
                if let Some(value) = agent.get(column).filter(|value| !value.is_null()) {
                    put(entry, column, value.clone());
                }
            }
        }
        Ok(outcome)
    }
}

impl ListAgents {
    fn wanted(&self) -> u64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Fewest active threats, unless every agent has that many.
    fn least(&self) -> Option<u64> {
        self.min_active_threats.filter(|least| *least > 0)
    }

    /// The first page, with items left as they are.
    fn request(&self) -> Result<Request<Page<Value>>> {
        let above = match self.least().map(|least| i64::try_from(least - 1)) {
            None => None,
            Some(Ok(above)) => Some(above),
            Some(Err(_)) => return Err(refuse(Self::INFO.name, "min_active_threats", "is too large")),
        };
        let mut filter = self.params.clone();
        set(&mut filter.computer_name_like, self.computer_name.clone(), "computer_name")?;
        set(&mut filter.scan_statuses, given(&self.scan_status), "scan_status")?;
        set(&mut filter.os_types, given(&self.os_type), "os_type")?;
        set(&mut filter.created_at_gte, self.created_at.clone(), "created_at")?;
        set(&mut filter.active_threats_gt, above, "min_active_threats")?;
        let request = raw::list(&AgentsListQuery::default().filter(filter))?.answering();
        // Where agents may be dropped here, small pages could take a request for each that is kept.
        let wanted = self.least().is_none().then(|| self.wanted());
        Ok(sized(request, wanted)?)
    }
}

/// Sets a field of the filter, unless `params` did.
fn set<T>(field: &mut Option<T>, value: Option<T>, argument: &str) -> Result<()> {
    if value.is_none() {
        return Ok(());
    }
    if field.is_some() {
        let message = format!("holds the field that {argument} sets too; leave one of them out");
        return Err(refuse(ListAgents::INFO.name, "params", message));
    }
    *field = value;
    Ok(())
}

/// The filter that `params` describes.
fn conditions(arguments: &mut Arguments) -> Result<AgentFilter, ArgumentError> {
    let mut fields: Vec<&Field> = Vec::new();
    for pair in arguments.list("params")?.unwrap_or_default() {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(arguments.wrong("params", format!("holds {pair:?}, which is no field=value pair")));
        };
        let name = name.trim();
        let Some(field) = AgentFilter::FIELDS.iter().find(|field| field.name == name) else {
            let message = format!("holds the field {name:?}, by which agents cannot be selected");
            return Err(arguments.wrong("params", message));
        };
        if !fields.iter().any(|one| one.name == field.name) {
            fields.push(field);
        }
        // Each is read like an argument of its own, so that texts mean the same everywhere.
        arguments.add(&of_params(field), value);
    }
    let mut filter = AgentFilter::default();
    for field in fields {
        let name = &of_params(field);
        let setting = match field.kind {
            FieldKind::List => arguments.list(name)?.map(Setting::List),
            FieldKind::Boolean => arguments.boolean(name)?.map(Setting::Boolean),
            FieldKind::Integer => arguments.integer(name)?.map(Setting::Integer),
            FieldKind::Timestamp => arguments.time(name)?.map(|time| Setting::Text(time.to_string())),
            _ => arguments.text(name)?.map(|text| Setting::Text(text.trim().to_owned())),
        };
        let Some(setting) = setting else { continue };
        match &setting {
            Setting::List(items) => {
                items.iter().try_for_each(|item| arguments.one_of(name, item, field.known))?;
            }
            Setting::Text(text) => arguments.one_of(name, text, field.known)?,
            _ => {}
        }
        filter.set(field.name, setting).map_err(|_| arguments.wrong(name, "is not what the field takes"))?;
    }
    Ok(filter)
}

fn of_params(field: &Field) -> String {
    format!("params.{}", field.name)
}
