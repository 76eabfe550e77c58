//! `sentinelone-get-star-rules`: STAR rules that match.

use sentinelone_raw::runtime::{ApiVersion, OpenEnum, Page, Request};
use sentinelone_raw::star_rules::{
    self as raw, ExpirationMode, RuleQueryType, RuleStatus, StarRuleFilter, StarRulesListQuery,
};
use serde_json::Value;

use super::context::Output;
use super::lists::{given, in_batches, read_all, wanted};
use super::star_rule_settings::PREFIX;
use super::{Argument, ArgumentError, ArgumentKind, Arguments, Command, Info, Outcome, Silent, Watch};
use crate::Result;
use crate::client::Client;

const DEFAULT_LIMIT: u64 = 1000;

/// STAR rules that match, up to a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetStarRules {
    /// Where they stand.
    pub status: Vec<RuleStatus>,
    /// Parts of the name of who created them.
    pub creator_contains: Vec<String>,
    /// What their query looks at.
    pub query_type: Option<RuleQueryType>,
    /// Free text.
    pub query: Vec<String>,
    /// Parts of the description.
    pub description_contains: Vec<String>,
    /// Identifiers.
    pub rule_ids: Vec<String>,
    /// Parts of the name.
    pub name_contains: Vec<String>,
    /// Accounts.
    pub account_ids: Vec<String>,
    /// Whether they end by themselves.
    pub expiration_mode: Option<ExpirationMode>,
    /// How many at the most; without it 1000, or as many as there are `rule_ids`.
    pub limit: Option<u64>,
    /// Sites.
    pub site_ids: Vec<String>,
}

const MODES: &[&str] = &["Temporary", "Permanent"];

impl Command for GetStarRules {
    const INFO: Info = Info {
        name: "get-star-rules",
        full_name: "sentinelone-get-star-rules",
        summary: "List the STAR rules that match",
        versions: &[ApiVersion::V2_1],
        acts: false,
        destructive: false,
        asks: false,
        operations: &["star_rules_list"],
    };

    const OUTPUTS: &'static [Output] = &[
        Output::field("SentinelOne.StarRule.ID", "Number", "Identifier of the rule", "id"),
        Output::field("SentinelOne.StarRule.Creator", "String", "User who created it", "creator"),
        Output::field("SentinelOne.StarRule.Name", "String", "Name", "name"),
        Output::field("SentinelOne.StarRule.Status", "String", "Where it stands, such as Active", "status"),
        Output::field("SentinelOne.StarRule.Severity", "String", "Severity of its alerts", "severity"),
        Output::field(
            "SentinelOne.StarRule.GeneratedAlerts",
            "Number",
            "How many alerts it raised",
            "generatedAlerts",
        ),
        Output::field("SentinelOne.StarRule.Description", "String", "Description", "description").no_column(),
        Output::field(
            "SentinelOne.StarRule.StatusReason",
            "String",
            "Why it is in its status",
            "statusReason",
        )
        .no_column(),
        Output::field(
            "SentinelOne.StarRule.ExpirationMode",
            "String",
            "Whether it ends by itself",
            "expirationMode",
        ),
        Output::field("SentinelOne.StarRule.ExpirationDate", "Date", "When it ends", "expiration")
            .no_column(),
        Output::field("SentinelOne.StarRule.Expired", "Boolean", "Whether it has ended", "expired"),
    ];

    fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Integer, List, Text};
        vec![
            Argument::new("status", List, "Where they stand, in capitals or not.").values(RuleStatus::KNOWN),
            Argument::new(
                "creator_contains",
                List,
                "Parts of the name or mail address of who created them; any of them will do.",
            ),
            Argument::new("queryType", Text, "What their query looks at.").values(RuleQueryType::KNOWN),
            Argument::new("query", List, "Free texts to look for; any of them will do."),
            Argument::new("description_contains", List, "Parts of the description; any of them will do."),
            Argument::new("ruleIds", List, "Identifiers of rules."),
            Argument::new("name_contains", List, "Parts of the name; any of them will do."),
            Argument::new("accountIds", List, "Accounts, by identifier."),
            Argument::new("expirationMode", Text, "Whether they end by themselves.").values(MODES),
            Argument::new(
                "limit",
                Integer,
                "How many rules at the most; without it as many as ruleIds where those are more.",
            )
            .default("1000")
            .or_all(),
            Argument::new("siteIds", List, "Sites, by identifier."),
        ]
    }

    fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        Ok(Self {
            status: arguments.choices_of_any_case("status", RuleStatus::KNOWN)?,
            creator_contains: arguments.list("creator_contains")?.unwrap_or_default(),
            query_type: arguments.choice_of_any_case("queryType", RuleQueryType::KNOWN)?,
            query: arguments.list("query")?.unwrap_or_default(),
            description_contains: arguments.list("description_contains")?.unwrap_or_default(),
            rule_ids: arguments.list("ruleIds")?.unwrap_or_default(),
            name_contains: arguments.list("name_contains")?.unwrap_or_default(),
            account_ids: arguments.list("accountIds")?.unwrap_or_default(),
            expiration_mode: arguments.choice_of_any_case("expirationMode", MODES)?,
            limit: arguments.limit()?,
            site_ids: arguments.list("siteIds")?.unwrap_or_default(),
        })
    }

    fn requests(&self, _: ApiVersion) -> Result<Vec<Request<Value>>> {
        Ok(self.lists()?.into_iter().map(Request::answering).collect())
    }

    async fn run(&self, client: &Client) -> Result<Outcome> {
        self.run_watched(client, &Silent).await
    }

    async fn run_watched(&self, client: &Client, watch: &dyn Watch) -> Result<Outcome> {
        read_all((client, watch), self.lists()?, Some(self.wanted()), |_| true, (PREFIX, Self::OUTPUTS)).await
    }
}

impl GetStarRules {
    fn wanted(&self) -> u64 {
        wanted(self.limit, DEFAULT_LIMIT, &self.rule_ids)
    }

    fn lists(&self) -> Result<Vec<Request<Page<Value>>>> {
        in_batches(&self.rule_ids, Some(self.wanted()), |ids| self.request(ids))
    }

    fn request(&self, ids: Option<Vec<String>>) -> Result<Request<Page<Value>>> {
        let filter = StarRuleFilter {
            status: given(&self.status),
            creator_contains: given(&self.creator_contains),
            query_type: self.query_type.clone(),
            query: given(&self.query),
            description_contains: given(&self.description_contains),
            ids,
            name_contains: given(&self.name_contains),
            account_ids: given(&self.account_ids),
            expiration_mode: self.expiration_mode.clone(),
            site_ids: given(&self.site_ids),
            ..StarRuleFilter::default()
        };
        let query = StarRulesListQuery { filter, ..StarRulesListQuery::default() };
        Ok(raw::list(&query)?.answering())
    }
}
