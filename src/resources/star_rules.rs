//! STAR rules: custom detection rules that the console runs on telemetry.

use sentinelone_raw::runtime::Data;
use sentinelone_raw::shared::Affected;
use sentinelone_raw::star_rules as raw;

pub use sentinelone_raw::shared::{Scope, ScopeFilter, SortOrder};
pub use sentinelone_raw::star_rules::{
    AdvancedDetection, AdvancedDetectionQuery, AdvancedDetectionWindow, ExpirationMode, RuleEntity,
    RuleQueryType, RuleStatus, SavedStarRule, Severity, StarRule, StarRuleData, StarRuleEnrichment,
    StarRuleFilter, StarRuleSortField, StarRulesCreateRequest, StarRulesDeleteRequest,
    StarRulesDisableRequest, StarRulesEnableRequest, StarRulesListQuery, StarRulesUpdateRequest,
    TreatAsThreat,
};

use super::builders::{
    ActionBuilder, ListBuilder, impl_action_body, impl_countable_filter, impl_list_query, resource,
};

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

impl_countable_filter!(StarRuleFilter: star_rules, StarRulesListQuery, StarRule);

impl<'a> StarRules<'a> {
    /// Lists the rules that match a filter.
    ///
    /// `GET /web/api/v2.1/cloud-detection/rules`
    pub fn list(self) -> ListBuilder<'a, StarRulesListQuery, StarRule> {
        ListBuilder::new(self.client, StarRulesListQuery::default(), |_, query| raw::list(query))
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
    ///     client.star_rules().enable().filter(StarRuleFilter::default().ids([id])).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        self,
        rule: StarRuleData,
    ) -> ActionBuilder<'a, StarRulesCreateRequest, Data<SavedStarRule>> {
        ActionBuilder::new(self.client, StarRulesCreateRequest::new(rule), |_, body| raw::create(body))
    }

    /// Replaces all fields of a rule in the scope of the filter; omitted fields are not preserved. The status is
    /// one of the fields, so an active rule that is sent as a draft stops.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/{rule_id}`
    pub fn update(
        self,
        rule_id: impl Into<String>,
        rule: StarRuleData,
    ) -> ActionBuilder<'a, StarRulesUpdateRequest, Data<SavedStarRule>> {
        ActionBuilder::with_path_param(
            self.client,
            rule_id.into(),
            StarRulesUpdateRequest::new(rule),
            raw::update,
        )
    }

    /// Enables the rules that match the filter. The status of a rule is `Activating` first. An enabled rule
    /// responds automatically if it is configured to.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/enable`
    pub fn enable(self) -> ActionBuilder<'a, StarRulesEnableRequest, Data<Affected>> {
        let body = StarRulesEnableRequest::new(StarRuleFilter::default());
        ActionBuilder::new(self.client, body, |_, body| raw::enable(body))
    }

    /// Disables the rules that match the filter. They create no more alerts. The status of a rule is `Disabling`
    /// first.
    ///
    /// `PUT /web/api/v2.1/cloud-detection/rules/disable`
    pub fn disable(self) -> ActionBuilder<'a, StarRulesDisableRequest, Data<Affected>> {
        let body = StarRulesDisableRequest::new(StarRuleFilter::default());
        ActionBuilder::new(self.client, body, |_, body| raw::disable(body))
    }

    /// Deletes the rules that match the filter. This cannot be undone.
    ///
    /// `DELETE /web/api/v2.1/cloud-detection/rules`
    pub fn delete(self) -> ActionBuilder<'a, StarRulesDeleteRequest, Data<Affected>> {
        let body = StarRulesDeleteRequest::new(StarRuleFilter::default());
        ActionBuilder::new(self.client, body, |_, body| raw::delete(body))
    }
}
