//! What the two commands that save STAR rules have in common.

use sentinelone_raw::runtime::Timestamp;
use sentinelone_raw::shared::ScopeFilter;
use sentinelone_raw::star_rules::{
    ExpirationMode, RuleQueryType, RuleStatus, Severity, StarRuleCreationData, TreatAsThreat,
};

use super::act::refuse;
use super::context::Output;
use super::lists::given;
use super::{Argument, ArgumentError, ArgumentKind, Arguments};
use crate::Result;

/// What a STAR rule is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct StarRuleSettings {
    /// Name.
    pub name: String,
    /// Severity of the alerts that it raises.
    pub severity: Severity,
    /// Whether it ends by itself.
    pub expiration_mode: ExpirationMode,
    /// What its query looks at.
    pub query_type: RuleQueryType,
    /// The query.
    pub query: String,
    /// Free text, up to 250 characters.
    pub description: Option<String>,
    /// When it ends; for a temporary rule, and only for that.
    pub expiration_date: Option<Timestamp>,
    /// Sites that it is for.
    pub site_ids: Vec<String>,
    /// Groups that it is for.
    pub group_ids: Vec<String>,
    /// Accounts that it is for.
    pub account_ids: Vec<String>,
    /// Whether it is for the whole tenant, in the place of sites, groups and accounts. One of these scopes has
    /// to be named: a rule does not come to reach further by leaving something out.
    pub tenant: bool,
    /// Whether it cuts the endpoints off from the network that it finds something on.
    pub network_quarantine: bool,
    /// Whether what it finds becomes a threat.
    pub treat_as_threat: TreatAsThreat,
}

pub(super) const PREFIX: &str = "SentinelOne.StarRule";

/// The rule as the console has saved it.
pub(super) const SAVED: &[Output] = &[
    Output::field("SentinelOne.StarRule.ID", "String", "Identifier of the rule", "id"),
    Output::field("SentinelOne.StarRule.Name", "String", "Name", "name"),
    Output::field("SentinelOne.StarRule.Status", "String", "Where it stands, such as Draft", "status"),
    Output::field("SentinelOne.StarRule.Severity", "String", "Severity of its alerts", "severity"),
    Output::field("SentinelOne.StarRule.Description", "String", "Description", "description").no_column(),
    Output::field(
        "SentinelOne.StarRule.NetworkQuarantine",
        "Boolean",
        "Whether it cuts endpoints off from the network",
        "networkQuarantine",
    ),
    Output::field(
        "SentinelOne.StarRule.TreatAsThreat",
        "String",
        "Whether its finds become threats",
        "treatAsThreat",
    ),
    Output::field(
        "SentinelOne.StarRule.ExpirationMode",
        "String",
        "Whether it ends by itself",
        "expirationMode",
    ),
    Output::field("SentinelOne.StarRule.ExpirationDate", "String", "When it ends", "expiration").no_column(),
    Output::field("SentinelOne.StarRule.ScopeHierarchy", "String", "Level of its scope", "scope"),
    Output::field("SentinelOne.StarRule.CreatedAt", "String", "When it was created", "createdAt").no_column(),
    Output::field("SentinelOne.StarRule.UpdatedAt", "String", "When it was last changed", "updatedAt")
        .no_column(),
];

const SEVERITIES: &[&str] = &["Low", "Medium", "High", "Critical"];
const MODES: &[&str] = &["Permanent", "Temporary"];
/// Those that the integration offers.
pub(super) const QUERY_TYPES: &[&str] = &["events", "processes"];
const TREATMENTS: &[&str] = &["Malicious", "Suspicious", "UNDEFINED"];

impl StarRuleSettings {
    pub(super) fn arguments() -> Vec<Argument> {
        use ArgumentKind::{Boolean, List, Text, Time};
        vec![
            Argument::new("name", Text, "Name of the rule.").required(),
            Argument::new("rule_severity", Text, "Severity of its alerts.").required().values(SEVERITIES),
            Argument::new("expiration_mode", Text, "Whether it ends by itself.").required().values(MODES),
            Argument::new("query_type", Text, "What its query looks at.").required().values(QUERY_TYPES),
            Argument::new("query", Text, "The query, in S1QL.").required(),
            Argument::new("description", Text, "Free text, up to 250 characters."),
            Argument::new("expiration_date", Time, "When a temporary rule ends: a time to come."),
            Argument::new("site_ids", List, "Sites that it is for, by identifier."),
            Argument::new("group_ids", List, "Groups that it is for, by identifier."),
            Argument::new(
                "account_ids",
                List,
                "Accounts that it is for, by identifier. Give sites, groups or accounts, or tenant as true.",
            ),
            Argument::new("tenant", Boolean, "Says that the rule is for the whole tenant."),
            Argument::new(
                "network_quarantine",
                Boolean,
                "Whether it cuts the endpoints off from the network that it finds something on.",
            )
            .required()
            .values(&["true", "false"]),
            Argument::new("treatAsThreat", Text, "Whether what it finds becomes a threat.")
                .required()
                .values(TREATMENTS),
        ]
    }

    pub(super) fn read(arguments: &mut Arguments) -> Result<Self, ArgumentError> {
        let quarantine = arguments.boolean("network_quarantine")?;
        Ok(Self {
            name: arguments.required("name")?,
            severity: arguments.required_choice_of_any_case("rule_severity", SEVERITIES)?,
            expiration_mode: arguments.required_choice_of_any_case("expiration_mode", MODES)?,
            query_type: arguments.required_choice_of_any_case("query_type", QUERY_TYPES)?,
            query: arguments.required("query")?,
            description: arguments.text("description")?,
            expiration_date: arguments.time_to_come("expiration_date")?,
            site_ids: arguments.list("site_ids")?.unwrap_or_default(),
            group_ids: arguments.list("group_ids")?.unwrap_or_default(),
            account_ids: arguments.list("account_ids")?.unwrap_or_default(),
            tenant: arguments.boolean("tenant")?.unwrap_or(false),
            network_quarantine: quarantine
                .ok_or_else(|| arguments.wrong("network_quarantine", "is missing; give true or false"))?,
            treat_as_threat: arguments.required_choice_of_any_case("treatAsThreat", TREATMENTS)?,
        })
    }

    /// What the request says of the rule.
    pub(super) fn data(&self, command: &'static str, status: RuleStatus) -> Result<StarRuleCreationData> {
        let refuse = |message| Err(refuse(command, "expiration_date", message));
        match (&self.expiration_mode, &self.expiration_date) {
            (ExpirationMode::Temporary, None) => return refuse("is missing; a temporary rule needs it"),
            (ExpirationMode::Permanent, Some(_)) => {
                return refuse("is given, but expiration_mode is Permanent; leave it out, or say Temporary");
            }
            _ => {}
        }
        let mut data = StarRuleCreationData::new(
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

    /// Where the rule is to apply, which has to be said.
    pub(super) fn scope(&self, command: &'static str) -> Result<ScopeFilter> {
        let (sites, groups, accounts) =
            (given(&self.site_ids), given(&self.group_ids), given(&self.account_ids));
        match (self.tenant, sites.is_some() || groups.is_some() || accounts.is_some()) {
            (false, false) => {
                let message = "is missing, as are group_ids and account_ids; give at least one of them, or tenant as \
                               true: a rule is never made one of the whole tenant by leaving something out";
                return Err(refuse(command, "site_ids", message));
            }
            (true, true) => {
                let message = "is true, but sites, groups or accounts are given; leave one of them out";
                return Err(refuse(command, "tenant", message));
            }
            _ => {}
        }
        let tenant = self.tenant.then_some(true);
        Ok(ScopeFilter { account_ids: accounts, group_ids: groups, site_ids: sites, tenant })
    }
}
