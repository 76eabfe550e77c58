//! `sentinelone-create-star-rule`: creates a STAR rule.

use sentinelone_raw::runtime::ApiVersion;
use sentinelone_raw::star_rules::{self as raw, RuleStatus, StarRule, StarRulesCreateRequest};

use super::command::{Behavior, Run};
use super::support::execution::{Requests, first_request};
use super::support::star_rule_settings::{apply_to, missing_scope, named_scope, saved_rule_outcome};
use super::{CommandDeclaration, CreateStarRule, Outcome};
use crate::Result;
use crate::rule_update::{self, settings_of};

impl Behavior for CreateStarRule {
    fn build_requests(&self, _: ApiVersion) -> Result<Requests> {
        let name = Self::INFO.name;
        let scope = named_scope(&self.rule, name)?.ok_or_else(|| missing_scope(name))?;
        let mut rule = StarRule::default();
        rule.status = Some(RuleStatus::Draft);
        apply_to(&self.rule, name, &mut rule)?;
        let body = StarRulesCreateRequest::new(settings_of(&rule)?).filter(scope);
        Ok(vec![raw::create(&body)?.with_response_type()])
    }

    async fn execute(&self, run: Run<'_>) -> Result<Outcome> {
        let Run { client, requests: actions, .. } = run;
        // A response may lack settings. Only a language that the console did not store makes the rule useless.
        let is_checked = |setting: &str| setting == "queryLang";
        let name = self.rule.name.as_deref().unwrap_or_default();
        let saved = rule_update::create(client, &first_request(actions)?, is_checked).await?;
        Ok(saved_rule_outcome(client, saved, (None, name)))
    }
}
