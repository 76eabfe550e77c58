//! A detection of one's own, from draft to deletion: create it, enable it, disable it, delete it.
//!
//! ```console
//! $ cargo run --example star_rules
//! ```
//!
//! That is on the embedded sandbox. On a console, by `S1_CONSOLE_URL` and `S1_API_TOKEN`, it wants to be told
//! so, and leaves nothing behind: `cargo run --example star_rules -- --act SITE-ID`.

mod support;

use std::error::Error;
use std::time::Duration;

use sentinelone::Client;
use sentinelone::star_rules::{
    ExpirationMode, RuleQueryType, RuleStatus, ScopeFilter, Severity, StarRuleCreationData, StarRuleFilter,
};

/// Waits until the rule is as it should be: it passes through `Activating` and `Disabling`.
async fn until(client: &Client, rule: &StarRuleFilter, wanted: RuleStatus) -> Result<(), Box<dyn Error>> {
    for _ in 0..60 {
        let found = client.star_rules().list().filter(rule.clone()).items().collect().await?;
        let status = found.into_iter().find_map(|rule| rule.status).ok_or("the rule is not there")?;
        println!("{status}");
        if status == wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(format!("the rule does not become {wanted}").into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut place = support::to_act().await?;
    let site = place.argument("SITE-ID", "420000000000000002")?;
    let client = &place.client;

    // As a draft it finds nothing, and nothing responds to what it would find.
    let draft = StarRuleCreationData::new(
        ExpirationMode::Permanent,
        "curl on servers",
        RuleQueryType::Events,
        Severity::Low,
        RuleStatus::Draft,
    );
    let draft = draft.s1ql(r#"EventType = "Process Creation" AND ProcessName = "curl""#);
    let scope = ScopeFilter::default().site_ids([site]);
    let created = client.star_rules().create(draft).filter(scope).send().await?.into_value();
    let id = created.data.and_then(|saved| saved.id).ok_or("the rule has no identifier")?;
    let rule = StarRuleFilter::default().ids([id]);
    until(client, &rule, RuleStatus::Draft).await?;

    client.star_rules().enable().filter(rule.clone()).send().await?;
    until(client, &rule, RuleStatus::Active).await?;

    client.star_rules().disable().filter(rule.clone()).send().await?;
    until(client, &rule, RuleStatus::Disabled).await?;

    let deleted = client.star_rules().delete().filter(rule).send().await?;
    println!("{} deleted", deleted.affected().unwrap_or_default());
    Ok(())
}
