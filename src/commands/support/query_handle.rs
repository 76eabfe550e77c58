//! IDs of long-running queries that a later command runs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sentinelone_raw::runtime::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::commands::argument_error::argument_error;
use crate::error::Error;
use crate::queries::{EventQuery, QueryError, QueryRange, QueryScope, RowQuery};
use crate::s1ql;

/// Start of the IDs. Deep Visibility has none like it.
const PREFIX: &str = "lrq1.";

/// Most rows that the setting of a command allows.
const MAX_ROWS: i64 = 100_000;

/// A long-running query with its scope and its time range. A running query ends 30 seconds after it was read, so its ID
/// cannot be kept; the ID of a command contains the query instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueryHandle {
    kind: QueryKind,
    /// In S1QL 2.0.
    query: String,
    accounts: Vec<String>,
    /// `None` for all sites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sites: Option<Vec<String>>,
    from: Timestamp,
    to: Timestamp,
}

/// What a query returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum QueryKind {
    /// Events.
    Log,
    /// Rows of a PowerQuery.
    Power,
}

/// A query of a command, before its accounts are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewQuery<'a> {
    pub(crate) command: &'static str,
    pub(crate) kind: QueryKind,
    /// In S1QL 1.0 or 2.0.
    pub(crate) query: &'a str,
    pub(crate) site_ids: &'a [String],
    pub(crate) from: &'a Timestamp,
    pub(crate) to: &'a Timestamp,
    /// Most rows of a PowerQuery.
    pub(crate) limit: Option<i64>,
}

impl NewQuery<'_> {
    /// Checks the query, apart from its accounts and from the current time.
    pub(crate) fn check(&self) -> Result<()> {
        self.handle(vec!["0".to_owned()], self.to).map(drop)
    }

    /// Returns the query for these accounts, in S1QL 2.0. A time range that starts after `now` is rejected.
    pub(crate) fn handle(&self, accounts: Vec<String>, now: &Timestamp) -> Result<QueryHandle> {
        let translated = match self.kind {
            QueryKind::Log => s1ql::translate(self.query),
            QueryKind::Power => s1ql::translate_power_query(self.query),
        };
        let (mut query, refusal) = match translated {
            Ok(translation) => (translation.text, None),
            Err(error) => (self.query.to_owned(), Some(error)),
        };
        if let Some(limit) = self.limit {
            if !(1..=MAX_ROWS).contains(&limit) {
                let message = format!("is {limit}; expected 1 to {MAX_ROWS}");
                return Err(argument_error(self.command, "limit", message));
            }
            // The line break ends a comment.
            query.push_str(&format!("\n| limit {limit}"));
        }
        let handle = QueryHandle {
            kind: self.kind,
            query,
            accounts,
            sites: (!self.site_ids.is_empty()).then(|| self.site_ids.to_vec()),
            from: self.from.clone(),
            to: self.to.clone(),
        };
        // A name that is in neither version can be one of another data source, in a query of 2.0.
        match (handle.check(now), refusal) {
            (Ok(()), _) => Ok(handle),
            (Err(error), None) => Err(error),
            (Err(_), Some(refusal)) => Err(QueryError::Untranslated {
                message: refusal.to_string(),
                text: refusal.render(self.query),
                help: refusal.help().unwrap_or("write the query in S1QL 2.0").to_owned(),
            }
            .into()),
        }
    }
}

impl QueryHandle {
    /// Returns whether a query ID is that of a long-running query.
    pub(crate) fn is_id(id: &str) -> bool {
        id.starts_with(PREFIX)
    }

    /// Returns the ID.
    pub(crate) fn id(&self) -> String {
        // The members are texts and lists of texts, which are always valid JSON.
        let json = serde_json::to_vec(self).unwrap_or_default();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }

    /// Reads an ID of a query of this kind.
    pub(crate) fn parse(
        command: &'static str,
        argument: &str,
        id: &str,
        kind: QueryKind,
    ) -> Result<Self, Error> {
        let invalid = |message: &str| argument_error(command, argument, message);
        let encoded = id.strip_prefix(PREFIX).unwrap_or_default();
        let handle = URL_SAFE_NO_PAD.decode(encoded).ok();
        let handle: Option<Self> = handle.and_then(|json| serde_json::from_slice(&json).ok());
        let handle = handle.ok_or_else(|| {
            invalid("is not a complete ID of a long-running query; expected the ID of create-query or create-power-query")
        })?;
        if handle.kind != kind {
            return Err(invalid(match kind {
                QueryKind::Log => "is the ID of a PowerQuery; expected one of create-query",
                QueryKind::Power => "is the ID of a query for events; expected one of create-power-query",
            }));
        }
        handle.check(&handle.to)?;
        Ok(handle)
    }

    /// Checks the query with its scope and time range.
    fn check(&self, now: &Timestamp) -> Result<()> {
        match self.kind {
            QueryKind::Log => self.events(None)?.first_request(now).map(drop),
            QueryKind::Power => Ok(self.rows()?.request(now).map(drop)?),
        }
    }

    /// Returns the end of the time range.
    pub(crate) fn end(&self) -> &Timestamp {
        &self.to
    }

    /// Returns the query for events; `condition` restricts it further.
    pub(crate) fn events(&self, condition: Option<&str>) -> Result<EventQuery> {
        let filter = match condition {
            Some(condition) if is_everything(&self.query) => condition.to_owned(),
            // The line break ends a comment.
            Some(condition) => format!("{condition} and ({}\n)", self.query),
            None => self.query.clone(),
        };
        let mut query = EventQuery::new(filter);
        query.settings.scope = Some(QueryScope::accounts(self.accounts.iter().cloned())?);
        query.settings.site_ids.clone_from(&self.sites);
        query.settings.range = self.range();
        Ok(query)
    }

    /// Returns the PowerQuery.
    pub(crate) fn rows(&self) -> Result<RowQuery> {
        let mut query = RowQuery::new(self.query.clone());
        query.settings.scope = Some(QueryScope::accounts(self.accounts.iter().cloned())?);
        query.settings.site_ids.clone_from(&self.sites);
        query.settings.range = self.range();
        Ok(query)
    }

    fn range(&self) -> QueryRange {
        QueryRange::between(&self.from, &self.to)
    }
}

/// Returns whether a filter matches all events.
fn is_everything(filter: &str) -> bool {
    matches!(s1ql::parse_filter(filter), Ok(s1ql::Filter::Everything { .. }))
}
