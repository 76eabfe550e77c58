//! Settings of a STAR rule, shared by the commands that save one.

use sentinelone_raw::runtime::Timestamp;
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    ExpirationMode, RuleQueryType, RuleStatus, Severity, StarRuleData, TreatAsThreat,
};

use super::batch_action::argument_error;
use super::batched_lists::non_empty;
use super::context_path::ContextPath;
use crate::Result;
use crate::commands::{Argument, ArgumentError, ArgumentKind, Arguments};

/// The settings of a STAR rule.
#[derive(Clone, Debug, PartialEq)]
pub struct StarRuleSettings {
    /// Name.
    pub name: String,
    /// Severity of the alerts of the rule.
    pub severity: Severity,
    /// Whether the rule expires.
    pub expiration_mode: ExpirationMode,
    /// Type of the query.
    pub query_type: RuleQueryType,
    /// The query.
    pub query: String,
    /// Description, up to 250 characters.
    pub description: Option<String>,
    /// Expiration time. Required for a temporary rule, not allowed for a permanent one.
    pub expiration_date: Option<Timestamp>,
    /// Site IDs.
    pub site_ids: Vec<String>,
    /// Group IDs.
    pub group_ids: Vec<String>,
    /// Account IDs.
    pub account_ids: Vec<String>,
    /// Whether the rule applies to the whole tenant instead of sites, groups or accounts. One of these scopes is
    /// required, so that an omitted argument does not widen the scope.
    pub tenant: bool,
    /// Whether the rule disconnects matching endpoints from the network.
    pub network_quarantine: bool,
    /// How matches are treated: as malicious or suspicious threats, or not as threats (`UNDEFINED`).
    pub treat_as_threat: TreatAsThreat,
}

pub(crate) const PREFIX: &str = "SentinelOne.StarRule";

/// Context paths of a saved rule.
pub(crate) const RULE_OUTPUTS: &[ContextPath] = &[
    ContextPath::field("SentinelOne.StarRule.ID", "String", "ID of the rule", "id"),
    ContextPath::field("SentinelOne.StarRule.Name", "String", "Name", "name"),
    ContextPath::field("SentinelOne.StarRule.Status", "String", "Status, such as Draft", "status"),
    ContextPath::field("SentinelOne.StarRule.Severity", "String", "Severity of the alerts", "severity"),
    ContextPath::field("SentinelOne.StarRule.Description", "String", "Description", "description")
        .no_column(),
    ContextPath::field(
        "SentinelOne.StarRule.NetworkQuarantine",
        "Boolean",
        "Whether the rule disconnects endpoints from the network",
        "networkQuarantine",
    ),
    ContextPath::field(
        "SentinelOne.StarRule.TreatAsThreat",
        "String",
        "How matches are treated: Malicious, Suspicious or UNDEFINED",
        "treatAsThreat",
    ),
    ContextPath::field(
        "SentinelOne.StarRule.ExpirationMode",
        "String",
        "Permanent or Temporary",
        "expirationMode",
    ),
    ContextPath::field("SentinelOne.StarRule.ExpirationDate", "String", "Expiration time", "expiration")
        .no_column(),
    ContextPath::field("SentinelOne.StarRule.ScopeHierarchy", "String", "Scope level", "scope"),
    ContextPath::field("SentinelOne.StarRule.CreatedAt", "String", "Creation time", "createdAt").no_column(),
    ContextPath::field("SentinelOne.StarRule.UpdatedAt", "String", "Time of the last change", "updatedAt")
        .no_column(),
];

const SEVERITIES: &[&str] = &["Low", "Medium", "High", "Critical"];
const MODES: &[&str] = &["Permanent", "Temporary"];
/// Query types of the integration.
pub(crate) const QUERY_TYPES: &[&str] = &["events", "processes"];
const TREATMENTS: &[&str] = &["Malicious", "Suspicious", "UNDEFINED"];

impl StarRuleSettings {
    pub(crate) fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, List, String, Time};
        vec![
            Argument::new("name", String, "Name of the rule.").required(),
            Argument::new("rule_severity", String, "Severity of the alerts.").required().values(SEVERITIES),
            Argument::new("expiration_mode", String, "Whether the rule expires.").required().values(MODES),
            Argument::new("query_type", String, "Type of the query.").required().values(QUERY_TYPES),
            Argument::new("query", String, "S1QL query.").required(),
            Argument::new("description", String, "Description, up to 250 characters."),
            Argument::new("expiration_date", Time, "Expiration time of a temporary rule, in the future."),
            Argument::new("site_ids", List, "Site IDs."),
            Argument::new("group_ids", List, "Group IDs."),
            Argument::new(
                "account_ids",
                List,
                "Account IDs. A scope is required: sites, groups, accounts, or tenant=true.",
            ),
            Argument::new("tenant", Boolean, "Whether the rule applies to the whole tenant."),
            Argument::new(
                "network_quarantine",
                Boolean,
                "Whether the rule disconnects matching endpoints from the network.",
            )
            .required()
            .values(&["true", "false"]),
            Argument::new("treatAsThreat", String, "How to treat matches.").required().values(TREATMENTS),
        ]
    }

    pub(crate) fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let quarantine = arguments.boolean("network_quarantine")?;
        Ok(Self {
            name: arguments.required("name")?,
            severity: arguments.required_choice_ignore_case("rule_severity", SEVERITIES)?,
            expiration_mode: arguments.required_choice_ignore_case("expiration_mode", MODES)?,
            query_type: arguments.required_choice_ignore_case("query_type", QUERY_TYPES)?,
            query: arguments.required("query")?,
            description: arguments.string("description")?,
            expiration_date: arguments.future_time("expiration_date")?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            tenant: arguments.boolean("tenant")?.unwrap_or(false),
            network_quarantine: quarantine
                .ok_or_else(|| arguments.error("network_quarantine", "is missing; expected true or false"))?,
            treat_as_threat: arguments.required_choice_ignore_case("treatAsThreat", TREATMENTS)?,
        })
    }

    /// Returns the rule of the request body.
    pub(crate) fn data(&self, command: &'static str, status: RuleStatus) -> Result<StarRuleData> {
        let date_error = |message| Err(argument_error(command, "expiration_date", message));
        match (&self.expiration_mode, &self.expiration_date) {
            (ExpirationMode::Temporary, None) => {
                return date_error("is missing; a temporary rule requires it");
            }
            (ExpirationMode::Permanent, Some(_)) => {
                return date_error("requires expiration_mode Temporary; expiration_mode is Permanent");
            }
            _ => {}
        }
        let mut data = StarRuleData::new(
            self.expiration_mode.clone(),
            self.name.clone(),
            self.query_type.clone(),
            self.severity.clone(),
            status,
        )
        .s1ql(self.query.clone())
        .network_quarantine(self.network_quarantine)
        .treat_as_threat(self.treat_as_threat.clone());
        data.description = self.description.clone();
        data.expiration = self.expiration_date.clone();
        Ok(data)
    }

    /// Returns the scope of the rule, which is required.
    pub(crate) fn scope(&self, command: &'static str) -> Result<ScopeFilter> {
        let (sites, groups, accounts) =
            (non_empty(&self.site_ids), non_empty(&self.group_ids), non_empty(&self.account_ids));
        match (self.tenant, sites.is_some() || groups.is_some() || accounts.is_some()) {
            (false, false) => {
                let message = "or group_ids or account_ids is required, or tenant=true for the whole tenant";
                return Err(argument_error(command, "site_ids", message));
            }
            (true, true) => {
                let message = "cannot be true together with site_ids, group_ids or account_ids";
                return Err(argument_error(command, "tenant", message));
            }
            _ => {}
        }
        let tenant = self.tenant.then_some(true);
        Ok(ScopeFilter { account_ids: accounts, group_ids: groups, site_ids: sites, tenant })
    }
}
