//! Prompt before an action, with the items that it affects.

use std::io::{self, BufRead, IsTerminal, Write};

use sentinelone::batch::Journal;
use sentinelone::commands::PreparedCommand;
use sentinelone::raw::users::ELEVATE_SESSION;
use sentinelone::{Client, FilterRequirement, OperationKind, Request};
use serde_json::Value;

use crate::batches;
use crate::failure::CliError;
use crate::terminal::Terminal;

/// Prompts at the terminal, with the number of selected items, or of those without an outcome in the journal. Only `y`
/// and `yes` confirm.
pub(crate) async fn confirm(
    command: &PreparedCommand,
    requests: &[Request<Value>],
    client: &Client,
    journal: Option<&Journal>,
) -> Result<(), CliError> {
    let name = command.info().name;
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let message = format!("{name} requires a confirmation; without a terminal, pass --yes");
        return Err(CliError::Usage(message));
    }
    // Elevating the session prepares the action and affects no item.
    let is_action = |one: &&Request<Value>| {
        one.operation().kind == OperationKind::Action && one.operation().id != ELEVATE_SESSION.id
    };
    let actions: Vec<_> = requests.iter().filter(is_action).collect();
    let mut scope = ActionScope::default();
    let terminal = Terminal::new();
    for request in actions.iter().filter(|_| journal.is_none()) {
        terminal.during("counting the selected items", scope.add(request, client)).await;
    }
    drop(terminal);
    let selection = match journal {
        Some(journal) => {
            let (remaining, total) = batches::remaining(journal, client, requests)?;
            format!(
                "on {remaining} of {total} items, the others have an outcome in {}",
                journal.path().display()
            )
        }
        None => scope.describe(),
    };
    let request = actions.first().copied().or(requests.first());
    let path = request.map(|request| request.path(client.api_version())).transpose()?.unwrap_or_default();
    write!(io::stderr(), "{name}: {}{path} {selection}. Continue? [y/N] ", client.console_url())?;
    io::stderr().flush()?;
    let mut answer = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut answer)?;
    if matches!(String::from_utf8_lossy(&answer).trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CliError::Usage("not confirmed; no action was sent".into()))
}

/// Selection of actions, for the prompt.
#[derive(Default)]
struct ActionScope {
    /// Scopes without a number of items.
    scopes: Vec<String>,
    items: u64,
    /// Whether the items of a request could not be counted.
    uncounted: bool,
    any: bool,
}

impl ActionScope {
    async fn add(&mut self, request: &Request<Value>, client: &Client) {
        self.any = true;
        let body = request.body();
        let filter = body.and_then(|body| body.get("filter")).and_then(Value::as_object);
        let length = |value: &Value| value.as_array().map_or(1, |items| items.len() as u64);
        let ids = body.and_then(|body| body.pointer("/data/ids")).map(length);
        let Some(filter) = filter.filter(|_| has_filter(request)) else {
            // The IDs in the data, or the ID in the path.
            self.items = self.items.saturating_add(ids.unwrap_or(1));
            return;
        };
        let fields: Vec<(&str, &Value)> = filter
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        match fields.as_slice() {
            _ if !request.has_selective_filter() => {
                self.scopes.push("on ALL ITEMS in the scope of the token".into())
            }
            [("tenant", _)] => self.scopes.push("in the WHOLE TENANT".into()),
            [("ids" | "uuids", ids)] => self.items = self.items.saturating_add(length(ids)),
            // Thousands of IDs make a URL that no server accepts. The number is then unknown.
            _ => match client.count_matching(request).await {
                Ok(Some(count)) => self.items = self.items.saturating_add(count),
                _ => {
                    let scope = |(name, ids): &(&str, &Value)| {
                        let level = name.strip_suffix("Ids").filter(|_| ids.is_array())?;
                        Some(format!("{} {level}{}", length(ids), if length(ids) == 1 { "" } else { "s" }))
                    };
                    let scopes: Option<Vec<String>> = fields.iter().map(scope).collect();
                    match scopes {
                        Some(scopes) => self.scopes.push(format!("in {}", scopes.join(" and "))),
                        None => self.uncounted = true,
                    }
                }
            },
        }
    }

    fn describe(mut self) -> String {
        self.scopes.dedup();
        let number = match self.items {
            0 if !self.scopes.is_empty() => None,
            1 => Some("on 1 item".to_owned()),
            items => Some(format!("on {items} items")),
        };
        let number = if self.uncounted || !self.any {
            Some("on an unknown number of items".to_owned())
        } else {
            number
        };
        self.scopes.into_iter().chain(number).collect::<Vec<_>>().join(" and ")
    }
}

/// Returns whether a request requires a filter. A request for one item in its path has none.
pub(crate) fn has_filter(request: &Request<Value>) -> bool {
    request.operation().filter == FilterRequirement::Required
}
