//! IDs that were sent without a recorded outcome: whether the console shows what happened to them, and whether the
//! action may be repeated.

use std::collections::{HashMap, HashSet};

use futures_util::stream::{FuturesUnordered, StreamExt};
use sentinelone_raw::agents::{self, AgentFilter, AgentsListQuery};
use sentinelone_raw::alerts::{self, AlertFilter, AlertsListQuery};
use sentinelone_raw::iocs::{self, IocFilter, IocsListQuery};
use sentinelone_raw::runtime::{ApiVersion, Page, Request, RequestError};
use sentinelone_raw::star_rules::{self, StarRuleFilter, StarRulesListQuery};
use sentinelone_raw::threats::{
    self, LegacyThreatFilter, ThreatFilter, ThreatsListNotesQuery, ThreatsListQuery, ThreatsListV20Query,
};
use serde_json::Value;

use super::console::Console;
use crate::Result;
use crate::json_path::get_path;

/// Maximum number of IDs in one URL. 100 IDs are 2,000 to 4,000 characters, which proxies accept.
const MAX_IDS_PER_URL: usize = 100;

/// What happens to IDs of an action that were sent without a recorded outcome.
pub(crate) enum Recovery {
    /// A list shows whether an item has the requested state.
    Read(StateRead),
    /// The action is repeated: the second time has no effect.
    Resend,
    /// The action is not repeated, for this reason.
    Keep(&'static str),
}

/// Builds the request of a list that has the items with these IDs.
type BuildList = fn(&Action, Vec<String>) -> Result<Request<Page<Value>>, RequestError>;

/// How the state of items is read.
pub(crate) struct StateRead {
    list: BuildList,
    /// Path of the ID in an item; `None` if the list has the items of one ID.
    id: Option<&'static str>,
    /// Returns whether an item has the requested state.
    has_state: fn(&Action, &Value) -> bool,
    /// Whether an ID that the list does not have has the requested state, because the action deletes it.
    is_deletion: bool,
    /// Why an ID without the requested state is not sent a second time; `None` if it is.
    keep: Option<&'static str>,
}

/// Values of an action.
pub(crate) struct Action {
    body: Value,
    path: String,
}

impl Action {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    /// Returns whether an item has the values of the body: pairs of a location in the item and one in the body. Case is
    /// ignored, because the lists of alerts have other case than their actions. A value that the body does not have is
    /// not compared, but one is required.
    fn matches(&self, item: &Value, pairs: &[(&str, &str)]) -> bool {
        let requested: Vec<_> =
            pairs.iter().filter_map(|(path, pointer)| Some((path, self.text(pointer)?))).collect();
        let has = |(path, value): &(&&str, &str)| is_one_of(item, path, &[value]);
        !requested.is_empty() && requested.iter().all(has)
    }
}

/// Returns whether a string of an item is one of these, ignoring case. The state of an alert is `In progress` in a list and
/// `in_progress` in an action.
fn is_one_of(item: &Value, path: &str, values: &[&str]) -> bool {
    let text = get_path(item, path).and_then(Value::as_str).unwrap_or_default().replace(' ', "_");
    values.iter().any(|value| value.replace(' ', "_").eq_ignore_ascii_case(&text))
}

fn threats(_: &Action, ids: Vec<String>) -> Result<Request<Page<Value>>, RequestError> {
    let query = ThreatsListQuery::default().filter(ThreatFilter::default().ids(ids));
    Ok(threats::list(&query)?.with_response_type())
}

fn alerts(_: &Action, ids: Vec<String>) -> Result<Request<Page<Value>>, RequestError> {
    let query = AlertsListQuery::default().filter(AlertFilter::default().ids(ids));
    Ok(alerts::list(&query)?.with_response_type())
}

fn agents(_: &Action, ids: Vec<String>) -> Result<Request<Page<Value>>, RequestError> {
    // By default, the list lacks uninstalled agents.
    let filter = AgentFilter::default().is_uninstalled([true, false]);
    let query = AgentsListQuery::default().filter(filter.ids(ids));
    Ok(agents::list(&query)?.with_response_type())
}

fn star_rules(_: &Action, ids: Vec<String>) -> Result<Request<Page<Value>>, RequestError> {
    // Without the parameter, the list lacks scheduled rules.
    let query = StarRulesListQuery::default().filter(StarRuleFilter::default().ids(ids)).is_legacy(false);
    Ok(star_rules::list(&query)?.with_response_type())
}

fn iocs(action: &Action, ids: Vec<String>) -> Result<Request<Page<Value>>, RequestError> {
    let accounts = action.body.pointer("/filter/accountIds").and_then(Value::as_array);
    let accounts: Vec<&str> = accounts.into_iter().flatten().filter_map(Value::as_str).collect();
    let filter = IocFilter::default().account_ids(accounts).uuids(ids);
    Ok(iocs::list(&IocsListQuery::default().filter(filter))?.with_response_type())
}

const fn read(list: BuildList, id: &'static str, has_state: fn(&Action, &Value) -> bool) -> StateRead {
    StateRead { list, id: Some(id), has_state, is_deletion: false, keep: None }
}

const fn read_agents(has_state: fn(&Action, &Value) -> bool) -> StateRead {
    read(agents, "id", has_state)
}

const fn read_rules(has_state: fn(&Action, &Value) -> bool) -> StateRead {
    read(star_rules, "id", has_state)
}

const THREAT_STATE: &[(&str, &str)] = &[
    ("threatInfo.incidentStatus", "/data/incidentStatus"),
    ("threatInfo.analystVerdict", "/data/analystVerdict"),
];

const ALERT_STATE: &[(&str, &str)] = &[
    ("alertInfo.incidentStatus", "/data/incidentStatus"),
    ("alertInfo.analystVerdict", "/data/analystVerdict"),
];

/// The recovery of each action on IDs, by operation ID. An action that is not listed is not repeated.
static RECOVERIES: [(&str, Recovery); 23] = [
    ("agents_broadcast", Recovery::Keep("the console does not list which endpoints showed the message")),
    (
        "agents_connect",
        Recovery::Read(read_agents(|_, agent| {
            is_one_of(agent, "networkStatus", &["connected", "connecting"])
        })),
    ),
    (
        "agents_disconnect",
        Recovery::Read(read_agents(|_, agent| {
            is_one_of(agent, "networkStatus", &["disconnected", "disconnecting"])
        })),
    ),
    (
        "agents_initiate_scan",
        Recovery::Read(StateRead {
            keep: Some(
                "a scan that has ended since then cannot be distinguished from one that did not start",
            ),
            ..read_agents(|_, agent| is_one_of(agent, "scanStatus", &["started"]))
        }),
    ),
    (
        "agents_shutdown",
        Recovery::Keep("an endpoint that has been started since then would be shut down once more"),
    ),
    (
        "agents_uninstall",
        Recovery::Read(read_agents(|_, agent| {
            ["isPendingUninstall", "isUninstalled"]
                .iter()
                .any(|name| agent.get(name) == Some(&Value::Bool(true)))
        })),
    ),
    (
        "alerts_update_analyst_verdict",
        Recovery::Read(read(alerts, "alertInfo.alertId", |action, alert| action.matches(alert, ALERT_STATE))),
    ),
    (
        "alerts_update_incident",
        Recovery::Read(read(alerts, "alertInfo.alertId", |action, alert| action.matches(alert, ALERT_STATE))),
    ),
    // An ID is never used for another entry, so a second deletion finds nothing. The lists depend on a scope.
    ("blocklist_delete", Recovery::Resend),
    ("exclusions_delete", Recovery::Resend),
    (
        "groups_move_agents",
        Recovery::Read(read_agents(|action, agent| {
            // The path ends with the ID of the group and the name of the action.
            let group = action.path.rsplit('/').nth(1).unwrap_or_default();
            is_one_of(agent, "groupId", &[group])
        })),
    ),
    ("iocs_delete", Recovery::Read(StateRead { is_deletion: true, ..read(iocs, "uuid", |_, _| false) })),
    (
        "remote_scripts_execute",
        Recovery::Keep(
            "the tasks of the lost response cannot be distinguished from other runs of the script",
        ),
    ),
    ("star_rules_delete", Recovery::Read(StateRead { is_deletion: true, ..read_rules(|_, _| false) })),
    (
        "star_rules_disable",
        Recovery::Read(read_rules(|_, rule| is_one_of(rule, "status", &["Disabled", "Disabling"]))),
    ),
    (
        "star_rules_enable",
        Recovery::Read(read_rules(|_, rule| is_one_of(rule, "status", &["Active", "Activating"]))),
    ),
    (
        "threats_add_note",
        Recovery::Read(StateRead {
            list: |_, ids| {
                let id = ids.first().map(String::as_str).unwrap_or_default();
                Ok(threats::list_notes(id, &ThreatsListNotesQuery::default())?.with_response_type())
            },
            id: None,
            has_state: |action, note| note.get("text").and_then(Value::as_str) == action.text("/data/text"),
            is_deletion: false,
            keep: None,
        }),
    ),
    ("threats_fetch_file", Recovery::Keep("each request uploads the file once more")),
    (
        "threats_mark_as_resolved",
        Recovery::Read(read(
            |_, ids| {
                let query = ThreatsListV20Query::default().filter(LegacyThreatFilter::default().ids(ids));
                Ok(threats::list_v2_0(&query)?.with_response_type())
            },
            "id",
            |_, threat| threat.get("resolved") == Some(&Value::Bool(true)),
        )),
    ),
    // A threat that is marked twice has the same state. The list of API 2.0 does not have it.
    ("threats_mark_as_threat", Recovery::Resend),
    (
        "threats_mitigate",
        Recovery::Keep(
            "the list of threats also shows earlier actions, and a second action interrupts users",
        ),
    ),
    (
        "threats_update_analyst_verdict",
        Recovery::Read(read(threats, "id", |action, threat| action.matches(threat, THREAT_STATE))),
    ),
    (
        "threats_update_incident",
        Recovery::Read(read(threats, "id", |action, threat| action.matches(threat, THREAT_STATE))),
    ),
];

/// Returns the recovery of an action.
pub(crate) fn recovery_of(operation: &str) -> Option<&'static Recovery> {
    RECOVERIES.iter().find(|(id, _)| *id == operation).map(|(_, recovery)| recovery)
}

/// What the run does with the IDs that were sent without a recorded outcome.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    /// IDs that have the requested state on the console.
    pub(super) confirmed: HashSet<String>,
    /// IDs that are sent.
    pub(super) resent: HashSet<String>,
    /// Why the other IDs are not sent.
    pub(super) keep: &'static str,
}

/// Reads the state of IDs that were sent without a recorded outcome, and decides which of them are sent. With
/// `resend_all`, all that do not have the requested state are.
pub(super) async fn resolve<A>(
    console: &impl Console,
    version: ApiVersion,
    template: &Request<A>,
    ids: &[String],
    (in_flight, resend_all): (usize, bool),
) -> Result<Resolution> {
    let mut resolution = Resolution::default();
    if ids.is_empty() {
        return Ok(resolution);
    }
    let keep = match recovery_of(template.operation().id) {
        Some(Recovery::Read(state)) => {
            let action =
                Action { body: template.body().cloned().unwrap_or_default(), path: template.path(version)? };
            resolution.confirmed = confirmed(console, &action, state, ids, in_flight).await?;
            state.keep
        }
        Some(Recovery::Resend) => None,
        Some(Recovery::Keep(reason)) => Some(*reason),
        None => Some("the client does not know whether the action can be repeated"),
    };
    match keep.filter(|_| !resend_all) {
        Some(reason) => resolution.keep = reason,
        None => {
            let others = ids.iter().filter(|id| !resolution.confirmed.contains(*id));
            resolution.resent = others.cloned().collect();
        }
    }
    Ok(resolution)
}

/// Returns the IDs that have the requested state.
async fn confirmed(
    console: &impl Console,
    action: &Action,
    state: &StateRead,
    ids: &[String],
    in_flight: usize,
) -> Result<HashSet<String>> {
    let size = if state.id.is_some() { MAX_IDS_PER_URL } else { 1 };
    // No read starts unless the requests of all are valid.
    let requests = ids.chunks(size).map(|ids| Ok((ids, (state.list)(action, ids.to_vec())?)));
    let requests: Vec<_> = requests.collect::<Result<_>>()?;
    let (mut queue, mut reads) = (requests.into_iter(), FuturesUnordered::new());
    let mut confirmed = HashSet::new();
    loop {
        while reads.len() < in_flight
            && let Some((ids, request)) = queue.next()
        {
            reads.push(async move { (ids, console.list(request).await) });
        }
        let Some((ids, items)) = reads.next().await else { return Ok(confirmed) };
        confirmed.extend(with_state(action, state, ids, &items?));
    }
}

/// Returns the IDs whose items have the requested state.
fn with_state(action: &Action, state: &StateRead, ids: &[String], items: &[Value]) -> Vec<String> {
    let has_state = |item: &Value| (state.has_state)(action, item);
    let Some(path) = state.id else {
        let any = items.iter().any(has_state);
        return ids.iter().filter(|_| any).cloned().collect();
    };
    let id_of = |item: &Value| match get_path(item, path)? {
        // A console may have another case than the caller. An ID that seems to be missing counts as deleted.
        Value::String(id) => Some(id.to_ascii_lowercase()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    let found: HashMap<String, bool> =
        items.iter().filter_map(|item| Some((id_of(item)?, has_state(item)))).collect();
    let is_confirmed =
        |id: &&String| found.get(&id.to_ascii_lowercase()).copied().unwrap_or(state.is_deletion);
    ids.iter().filter(is_confirmed).cloned().collect()
}
