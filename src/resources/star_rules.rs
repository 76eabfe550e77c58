//! STAR rules: custom detection rules that the console runs on telemetry.

use std::collections::HashSet;

use sentinelone_raw::runtime::{Data, RequestError};
use sentinelone_raw::shared::Affected;
use sentinelone_raw::star_rules as raw;

pub use sentinelone_raw::shared::{Scope, ScopeFilter, SortOrder};
pub use sentinelone_raw::star_rules::{
    AdvancedDetection, AdvancedDetectionQuery, AdvancedDetectionWindow, ExpirationMode, RuleCoolOff,
    RuleCorrelation, RuleCorrelationWindow, RuleEntity, RuleQueryType, RuleSchedule, RuleStatus,
    RuleSubQuery, RuleThreshold, SavedStarRule, Severity, StarRule, StarRuleData, StarRuleEnrichment,
    StarRuleFilter, StarRuleSortField, StarRulesCreateRequest, StarRulesDeleteRequest,
    StarRulesDisableRequest, StarRulesEnableRequest, StarRulesListQuery, StarRulesUpdateRequest,
    ThresholdOperator, TreatAsThreat,
};

pub use crate::rule_update::{ChangedStarRule, SettingDifference};

#[cfg(feature = "detection")]
pub use super::documented::types::star_rules::*;

use super::builders::{
    ActionBuilder, CountableFilter, ListBuilder, Sealed, impl_action_body, impl_list_query, resource,
};

use crate::Result;
use crate::client::Client;
use crate::rule_update::{self, FoundRule};

resource! {
    /// Operations on STAR rules; see [`Client::star_rules`](crate::Client::star_rules).
    StarRules
}

impl_list_query! {
    StarRulesListQuery: sorts StarRuleSortField, filters StarRuleFilter, counts;
}

impl_action_body! {
    ScopeFilter: StarRulesCreateRequest, StarRulesUpdateRequest;
    StarRuleFilter: StarRulesEnableRequest, StarRulesDisableRequest, StarRulesDeleteRequest;
}

impl Sealed for StarRuleFilter {}

impl CountableFilter for StarRuleFilter {
    type Query = StarRulesListQuery;
    type Item = StarRule;

    /// Returns the list with scheduled rules, which actions affect, too.
    fn list(client: &Client) -> ListBuilder<StarRulesListQuery, StarRule> {
        client.star_rules().list().query(StarRulesListQuery::default().is_legacy(false))
    }
}

impl StarRules {
    /// Lists the rules that match a filter. Without `is_legacy(false)` in the query, the console leaves scheduled rules
    /// out; [`all`](Self::all) returns every rule.
    ///
    /// `GET /web/api/v2.1/cloud-detection/rules`
    pub fn list(&self) -> ListBuilder<StarRulesListQuery, StarRule> {
        ListBuilder::new(&self.client, StarRulesListQuery::default(), |_, query| raw::list(query))
    }

    /// Returns every rule that matches a filter, with scheduled rules. Both lists of the console are read, the default
    /// one and the one for `is_legacy(false)`; each rule is returned once. A console that rejects `isLegacy` has the
    /// default list only.
    ///
    /// # Errors
    /// Returns the first other error of either list.
    pub async fn all(&self, filter: StarRuleFilter) -> Result<Vec<StarRule>> {
        let mut known_ids = HashSet::new();
        let mut rules = Vec::new();
        for is_legacy in rule_update::LISTS {
            let mut query = StarRulesListQuery::default().filter(filter.clone());
            query.is_legacy = is_legacy;
            let found = match self.list().query(query).items().collect().await {
                Err(error) if is_legacy.is_some() && rule_update::rejects_is_legacy(&error) => Vec::new(),
                found => found?,
            };
            let is_new = |rule: &StarRule| rule.id.clone().is_none_or(|id| known_ids.insert(id));
            rules.extend(found.into_iter().filter(is_new));
        }
        Ok(rules)
    }

    /// Returns the rule with this ID from either list; `None` if the token does not reach such a rule.
    ///
    /// # Errors
    /// Returns an error if [`Client::send`](crate::Client::send) fails or the rule does not decode.
    pub async fn find(&self, rule_id: impl AsRef<str>) -> Result<Option<StarRule>> {
        let rule_id = rule_id.as_ref();
        let lookups = rule_update::lookups(rule_id, &StarRuleFilter::default())?;
        let found = rule_update::find(&self.client, rule_id, lookups).await?;
        Ok(found.map(|found| found.rule))
    }

    /// Changes a rule and keeps its other settings: reads the rule, applies `change`, replaces the rule in its present
    /// scope, and compares the stored rule with the requested one.
    ///
    /// The present settings are those that the specification declares for an update. The rule is read again after the
    /// update, because the response may only repeat the request.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/{rule_id}`
    ///
    /// ```no_run
    /// # use sentinelone::star_rules::Severity;
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let rules = client.star_rules();
    /// let changed = rules.change("1234567890123456789", |rule| rule.severity = Severity::Critical).await?;
    /// for difference in &changed.differences {
    ///     eprintln!("{difference}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Returns an error, and sends no update, if the rule is not found ([`NoResult`](crate::ErrorKind::NoResult)), or
    /// does not report its scope or a required setting ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)). Returns
    /// an error if the update fails, or if its response does not report each setting and the rule cannot be read again.
    pub async fn change(
        &self,
        rule_id: impl AsRef<str>,
        change: impl FnOnce(&mut StarRuleData),
    ) -> Result<ChangedStarRule> {
        let rule_id = rule_id.as_ref();
        let lookups = rule_update::lookups(rule_id, &StarRuleFilter::default())?;
        let found = rule_update::find(&self.client, rule_id, lookups).await?;
        let FoundRule { rule, json: before } = found.ok_or_else(|| rule_update::not_found(rule_id))?;
        let scope = rule_update::scope_of(&rule);
        let scope = scope.ok_or_else(|| RequestError::missing(&raw::UPDATE, "filter"))?;
        let mut settings = rule_update::settings_of(&rule)?;
        change(&mut settings);
        let request = self.update(rule_id, settings).filter(scope).request()?;
        let request = rule_update::with_undeclared_members(request, &rule, &before);
        let saved = rule_update::update(&self.client, &request, (rule_id, &before)).await?;
        if let Some(failure) = saved.failure {
            return Err(failure);
        }
        let rule = saved.response.into_value().data.unwrap_or_default();
        Ok(ChangedStarRule::new(rule, saved.comparison))
    }

    /// Creates a rule in the scope of the filter. A draft is inactive until it is enabled.
    ///
    /// `POST /web/api/v2.1/cloud-detection/rules`
    ///
    /// ```no_run
    /// # use sentinelone::star_rules::{
    /// #     ExpirationMode, RuleQueryType, RuleStatus, ScopeFilter, Severity, StarRuleData,
    /// #     StarRuleFilter,
    /// # };
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let rule = StarRuleData::new(
    ///     ExpirationMode::Permanent,
    ///     "curl on servers",
    ///     RuleQueryType::Events,
    ///     Severity::Low,
    ///     RuleStatus::Draft,
    /// );
    /// let site = ScopeFilter::default().site_ids(["1234567890123456789"]);
    /// let rule = rule.s1ql(r#"ProcessName = "curl""#);
    /// let response = client.star_rules().create(rule).filter(site).send().await?;
    /// if let Some(id) = response.into_value().data.and_then(|saved| saved.id) {
    ///     let response = client.star_rules().enable().filter(StarRuleFilter::default().ids([id])).send().await?;
    ///     println!("{} affected", response.affected().unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(&self, rule: StarRuleData) -> ActionBuilder<StarRulesCreateRequest, Data<SavedStarRule>> {
        ActionBuilder::new(&self.client, StarRulesCreateRequest::new(rule), |_, body| raw::create(body))
    }

    /// Replaces all fields of a rule in the scope of the filter; omitted fields are not preserved. The status is
    /// one of the fields, so an active rule that is sent as a draft stops. Without the query language the console stores
    /// 1.0, and a query in 2.0 then matches nothing. [`change`](Self::change) keeps the fields.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/{rule_id}`
    pub fn update(
        &self,
        rule_id: impl Into<String>,
        rule: StarRuleData,
    ) -> ActionBuilder<StarRulesUpdateRequest, Data<SavedStarRule>> {
        ActionBuilder::with_path_param(
            &self.client,
            rule_id.into(),
            StarRulesUpdateRequest::new(rule),
            raw::update,
        )
    }

    /// Enables the rules that match the filter. The status of a rule is `Activating` first. An enabled rule
    /// responds automatically if it is configured to.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/enable`
    pub fn enable(&self) -> ActionBuilder<StarRulesEnableRequest, Data<Affected>> {
        let body = StarRulesEnableRequest::new(StarRuleFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::enable(body))
    }

    /// Disables the rules that match the filter. They create no more alerts. The status of a rule is `Disabling`
    /// first.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/disable`
    pub fn disable(&self) -> ActionBuilder<StarRulesDisableRequest, Data<Affected>> {
        let body = StarRulesDisableRequest::new(StarRuleFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::disable(body))
    }

    /// Deletes the rules that match the filter. This cannot be undone.
    ///
    /// `DELETE /web/api/v2.1/cloud-detection/rules`
    pub fn delete(&self) -> ActionBuilder<StarRulesDeleteRequest, Data<Affected>> {
        let body = StarRulesDeleteRequest::new(StarRuleFilter::default());
        ActionBuilder::new(&self.client, body, |_, body| raw::delete(body))
    }
}
