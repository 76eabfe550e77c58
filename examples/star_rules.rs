//! Creates a STAR rule as a draft, enables it, disables it and deletes it.
//!
//! ```console
//! $ cargo run --example star_rules
//! ```
//!
//! By default, the example runs on the embedded sandbox. To use a console, set `S1_CONSOLE_URL` and `S1_API_TOKEN`,
//! and pass `--act`: `cargo run --example star_rules -- --act SITE-ID`. It deletes the rule at the end.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::Client;
use sentinelone::star_rules::{
    ExpirationMode, RuleQueryType, RuleStatus, ScopeFilter, Severity, StarRuleData, StarRuleFilter,
};

/// Polls the rule until it has the expected status. `Activating` and `Disabling` are transitional.
async fn wait_for_status(
    client: &Client,
    rule: &StarRuleFilter,
    expected: RuleStatus,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..60 {
        let found = client.star_rules().list().filter(rule.clone()).items().collect().await?;
        let status = found.into_iter().find_map(|rule| rule.status).ok_or("the rule is missing")?;
        println!("{status}");
        if status == expected {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(format!("timed out waiting for the rule status {expected}").into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut context = support::for_actions().await?;
    let site = context.argument("SITE-ID", "420000000000000002")?;
    let client = &context.client;

    // A draft creates no alerts and no responses.
    let draft = StarRuleData::new(
        ExpirationMode::Permanent,
        "curl on servers",
        RuleQueryType::Events,
        Severity::Low,
        RuleStatus::Draft,
    );
    let draft = draft.s1ql(r#"EventType = "Process Creation" AND ProcessName = "curl""#);
    let scope = ScopeFilter::default().site_ids([site]);
    let created = client.star_rules().create(draft).filter(scope).send().await?.into_value();
    let id = created.data.and_then(|saved| saved.id).ok_or("the rule has no ID")?;
    let rule = StarRuleFilter::default().ids([id]);
    wait_for_status(client, &rule, RuleStatus::Draft).await?;

    // The status is read until it changes.
    let _ = client.star_rules().enable().filter(rule.clone()).send().await?;
    wait_for_status(client, &rule, RuleStatus::Active).await?;

    let _ = client.star_rules().disable().filter(rule.clone()).send().await?;
    wait_for_status(client, &rule, RuleStatus::Disabled).await?;

    let deleted = client.star_rules().delete().filter(rule).send().await?;
    println!("{} deleted", deleted.affected().unwrap_or_default());
    Ok(())
}
