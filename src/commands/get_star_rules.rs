//! `sentinelone-get-star-rules`: lists STAR rules.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Request};
use sentinelone_raw::star_rules::{
    self as raw, ExpirationMode, RuleQueryType, RuleStatus, StarRuleFilter, StarRulesListQuery,
};
use serde_json::Value;

use super::support::batched_lists::{batched_list_requests, effective_limit, non_empty, read_lists};
use super::support::context_path::ContextPath;
use super::support::execution::{ProgressObserver, Requests};
use super::support::requested_ids::RequestedIds;
use super::support::star_rule_settings::PREFIX;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, CommandInfo, Outcome, Topic};
use crate::Result;
use crate::client::Client;
use crate::entry_id::id_of;
use crate::rule_update::{LISTS, rejects_is_legacy};

const DEFAULT_LIMIT: u64 = 1000;

/// Lists STAR rules that match all filters, up to a limit.
///
/// The console has a second list, which also has the scheduled rules (`isLegacy=false`). Unless `is_legacy` is set, both
/// lists are read, each rule is returned once, and the limit applies to the rules of both. A console of 2024 may reject
/// `isLegacy`: it has one list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetStarRules {
    /// Statuses.
    pub status: Vec<RuleStatus>,
    /// Substrings of the name or email address of the creator.
    pub creator_contains: Vec<String>,
    /// Query type.
    pub query_type: Option<RuleQueryType>,
    /// Full-text search strings.
    pub query: Vec<String>,
    /// Substrings of the description.
    pub description_contains: Vec<String>,
    /// Rule IDs.
    pub rule_ids: Vec<String>,
    /// Substrings of the name.
    pub name_contains: Vec<String>,
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Expiration mode.
    pub expiration_mode: Option<ExpirationMode>,
    /// The only list to read: `false` for the list with scheduled rules, `true` for the list without them. Default:
    /// both lists.
    pub is_legacy: Option<bool>,
    /// Maximum number of items. Default: 1000, or the number of `rule_ids` if larger.
    pub limit: Option<u64>,
    /// Site IDs.
    pub site_ids: Vec<String>,
}

const MODES: &[&str] = &["Temporary", "Permanent"];

impl Command for GetStarRules {
    const INFO: CommandInfo = CommandInfo {
        name: "get-star-rules",
        full_name: "sentinelone-get-star-rules",
        topic: Topic::Detection,
        summary: "List STAR rules",
        example: "s1 get-star-rules --status Active --query-type events",
        versions: &[ApiVersion::V2_1],
        is_action: false,
        destructive: false,
        requires_confirmation: false,
        operations: &["star_rules_list"],
    };

    const OUTPUTS: &'static [ContextPath] = &[
        ContextPath::field("SentinelOne.StarRule.ID", "Number", "ID of the rule", "id"),
        ContextPath::field("SentinelOne.StarRule.Creator", "String", "Name of the creator", "creator"),
        ContextPath::field("SentinelOne.StarRule.Name", "String", "Name", "name"),
        ContextPath::field("SentinelOne.StarRule.Status", "String", "Status, such as Active", "status"),
        ContextPath::field("SentinelOne.StarRule.Severity", "String", "Severity of the alerts", "severity"),
        ContextPath::field(
            "SentinelOne.StarRule.GeneratedAlerts",
            "Number",
            "Number of alerts",
            "generatedAlerts",
        ),
        ContextPath::field("SentinelOne.StarRule.Description", "String", "Description", "description")
            .no_column(),
        ContextPath::field(
            "SentinelOne.StarRule.StatusReason",
            "String",
            "Reason of the status",
            "statusReason",
        )
        .no_column(),
        ContextPath::field(
            "SentinelOne.StarRule.ExpirationMode",
            "String",
            "Permanent or Temporary",
            "expirationMode",
        ),
        ContextPath::field("SentinelOne.StarRule.ExpirationDate", "Date", "Expiration time", "expiration")
            .no_column(),
        ContextPath::field(
            "SentinelOne.StarRule.Expired",
            "Boolean",
            "Whether the rule has expired",
            "expired",
        ),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, Integer, List, String};
        vec![
            Argument::new("status", List, "Statuses, case-insensitive.").values(RuleStatus::VALUES),
            Argument::new(
                "creator_contains",
                List,
                "Substrings of the name or email address of the creator; any of them matches.",
            ),
            Argument::new("queryType", String, "Query type.").values(RuleQueryType::VALUES),
            Argument::new("query", List, "Full-text search strings; any of them matches."),
            Argument::new(
                "description_contains",
                List,
                "Substrings of the description; any of them matches.",
            ),
            Argument::new("ruleIds", List, "Rule IDs."),
            Argument::new("name_contains", List, "Substrings of the name; any of them matches."),
            Argument::new("accountIds", List, "Account IDs."),
            Argument::new("expirationMode", String, "Expiration mode.").values(MODES),
            Argument::new(
                "is_legacy",
                Boolean,
                "The only list to read: false for the list with scheduled rules, true for the list without them. \
                 Default: both lists.",
            )
            .values(&["true", "false"]),
            Argument::new(
                "limit",
                Integer,
                "Maximum number of rules; if not set, at least the number of ruleIds.",
            )
            .default("1000")
            .accepts_all(),
            Argument::new("siteIds", List, "Site IDs."),
        ]
    }

    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.choices_ignore_case("status", RuleStatus::VALUES)?,
            creator_contains: arguments.list("creator_contains")?.unwrap_or_default(),
            query_type: arguments.choice_ignore_case("queryType", RuleQueryType::VALUES)?,
            query: arguments.list("query")?.unwrap_or_default(),
            description_contains: arguments.list("description_contains")?.unwrap_or_default(),
            rule_ids: arguments.list("ruleIds")?.unwrap_or_default(),
            name_contains: arguments.list("name_contains")?.unwrap_or_default(),
            account_ids: arguments.list("accountIds")?.unwrap_or_default(),
            expiration_mode: arguments.choice_ignore_case("expirationMode", MODES)?,
            is_legacy: arguments.boolean("is_legacy")?,
            limit: arguments.limit()?,
            site_ids: arguments.list("siteIds")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Requests> {
        let both = if self.is_legacy.is_some() { vec![self.is_legacy] } else { LISTS.to_vec() };
        let mut requests = Vec::new();
        for is_legacy in both {
            let limit = Some(self.effective_limit());
            requests
                .extend(batched_list_requests(&self.rule_ids, limit, |ids| self.request(ids, is_legacy))?);
        }
        Ok(requests)
    }

    async fn execute(
        &self,
        client: &Client,
        requests: Requests,
        observer: &dyn ProgressObserver,
    ) -> Result<Outcome> {
        let requested = RequestedIds::default().with("ruleIds", &self.rule_ids, &["id"]);
        // Both lists can have a rule.
        let known = Mutex::new((HashSet::new(), 0_u64));
        let is_new = |rule: &Value| {
            let (ids, count) = &mut *known.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = id_of(rule).is_none_or(|id| ids.insert(id));
            *count += u64::from(is_new);
            is_new
        };
        let limit = self.effective_limit();
        let observed = (client, observer, &requested);
        let mut outcome =
            read_lists(observed, requests, Some(limit), Some(&is_new), (PREFIX, Self::OUTPUTS)).await?;
        if self.is_legacy.is_none() {
            // The totals of the lists count common rules twice. Below the limit, every rule was read.
            let (_, count) = known.into_inner().unwrap_or_else(PoisonError::into_inner);
            // A console that rejects the parameter has the default list only, which was read first.
            let has_one_list = outcome.failure.as_ref().is_some_and(rejects_is_legacy);
            outcome.failure = outcome.failure.filter(|_| !has_one_list);
            let is_whole = outcome.failure.is_none()
                && outcome.errors.is_empty()
                && !outcome.repairs.has_loss()
                && count < limit;
            if has_one_list && is_whole {
                outcome.not_found = requested.not_found();
            }
            if let Some(Value::Object(pagination)) = outcome.response.get_mut("pagination") {
                pagination.insert("totalItems".into(), is_whole.then_some(count).into());
            }
        }
        Ok(outcome)
    }
}

impl GetStarRules {
    fn effective_limit(&self) -> u64 {
        effective_limit(self.limit, DEFAULT_LIMIT, &self.rule_ids)
    }

    fn request(&self, ids: Option<Vec<String>>, is_legacy: Option<bool>) -> Result<Request<Value>> {
        let filter = StarRuleFilter {
            status: non_empty(&self.status),
            creator_contains: non_empty(&self.creator_contains),
            query_type: self.query_type.clone(),
            query: non_empty(&self.query),
            description_contains: non_empty(&self.description_contains),
            ids,
            name_contains: non_empty(&self.name_contains),
            account_ids: non_empty(&self.account_ids),
            expiration_mode: self.expiration_mode.clone(),
            site_ids: non_empty(&self.site_ids),
            ..StarRuleFilter::default()
        };
        let query = StarRulesListQuery { filter, is_legacy, ..StarRulesListQuery::default() };
        Ok(raw::list(&query)?.with_response_type())
    }
}
