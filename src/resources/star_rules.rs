//! STAR rules: detections of one's own, which the console runs over the telemetry.

use sentinelone_raw::runtime::Data;
use sentinelone_raw::shared::Affected;
use sentinelone_raw::star_rules as raw;

pub use sentinelone_raw::shared::{Scope, ScopeFilter, SortOrder};
pub use sentinelone_raw::star_rules::{
    AdvancedDetection, AdvancedDetectionQuery, AdvancedDetectionWindow, ExpirationMode, RuleEntity,
    RuleQueryType, RuleStatus, Severity, StarRule, StarRuleActivation, StarRuleCreation,
    StarRuleCreationData, StarRuleDeactivation, StarRuleDeletion, StarRuleEnrichment, StarRuleFilter,
    StarRuleSaved, StarRuleSortField, StarRuleUpdate, StarRulesListQuery, TreatAsThreat,
};

use super::grammar::{Act, List, acts, lists, resource, selects};

resource! {
    /// Everything about STAR rules; from [`Client::star_rules`](crate::Client::star_rules).
    StarRules
}

lists! {
    StarRulesListQuery: sorts StarRuleSortField, filters StarRuleFilter, counts;
}

acts! {
    ScopeFilter: StarRuleCreation, StarRuleUpdate;
    StarRuleFilter: StarRuleActivation, StarRuleDeactivation, StarRuleDeletion;
}

selects!(StarRuleFilter: star_rules, StarRulesListQuery, StarRule);

impl<'a> StarRules<'a> {
    /// Lists rules.
    ///
    /// `GET /web/api/v2.1/cloud-detection/rules`
    pub fn list(self) -> List<'a, StarRulesListQuery, StarRule> {
        List::new(self.client, StarRulesListQuery::default(), |_, query| raw::list(query))
    }

    /// Creates a rule in the scope that the filter says. As a draft it does nothing until it is enabled.
    ///
    /// `POST /web/api/v2.1/cloud-detection/rules`
    ///
    /// ```no_run
    /// # use sentinelone::star_rules::{
    /// #     ExpirationMode, RuleQueryType, RuleStatus, ScopeFilter, Severity, StarRuleCreationData,
    /// #     StarRuleFilter,
    /// # };
    /// # async fn example(client: sentinelone::Client) -> Result<(), sentinelone::Error> {
    /// let rule = StarRuleCreationData::new(
    ///     ExpirationMode::Permanent,
    ///     "curl on servers",
    ///     RuleQueryType::Events,
    ///     Severity::Low,
    ///     RuleStatus::Draft,
    /// );
    /// let site = ScopeFilter::default().site_ids(["1234567890123456789"]);
    /// let rule = rule.s1ql(r#"ProcessName = "curl""#);
    /// let answer = client.star_rules().create(rule).filter(site).send().await?;
    /// if let Some(id) = answer.into_value().data.and_then(|saved| saved.id) {
    ///     client.star_rules().enable().filter(StarRuleFilter::default().ids([id])).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(self, rule: StarRuleCreationData) -> Act<'a, StarRuleCreation, Data<StarRuleSaved>> {
        Act::new(self.client, StarRuleCreation::new(rule), |_, body| raw::create(body))
    }

    /// Sets all of a rule anew, in the scope that the filter says: what is left out is not kept. The status
    /// is part of it, so an active rule that is sent as a draft stops.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/{rule_id}`
    pub fn update(
        self,
        rule_id: impl Into<String>,
        rule: StarRuleCreationData,
    ) -> Act<'a, StarRuleUpdate, Data<StarRuleSaved>> {
        Act::of(self.client, rule_id.into(), StarRuleUpdate::new(rule), raw::update)
    }

    /// Enables the rules that a filter selects. A rule passes through `Activating`, and responds by itself
    /// from then on if it is told to.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/enable`
    pub fn enable(self) -> Act<'a, StarRuleActivation, Data<Affected>> {
        let body = StarRuleActivation::new(StarRuleFilter::default());
        Act::new(self.client, body, |_, body| raw::enable(body))
    }

    /// Disables the rules that a filter selects, which find nothing any more. A rule passes through
    /// `Disabling`.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/disable`
    pub fn disable(self) -> Act<'a, StarRuleDeactivation, Data<Affected>> {
        let body = StarRuleDeactivation::new(StarRuleFilter::default());
        Act::new(self.client, body, |_, body| raw::disable(body))
    }

    /// Removes the rules that a filter selects for good.
    ///
    /// `DELETE /web/api/v2.1/cloud-detection/rules`
    pub fn delete(self) -> Act<'a, StarRuleDeletion, Data<Affected>> {
        let body = StarRuleDeletion::new(StarRuleFilter::default());
        Act::new(self.client, body, |_, body| raw::delete(body))
    }
}
