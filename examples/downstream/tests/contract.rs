//! The crate against the sandbox, and what it sends and reads against the specification.

use std::sync::Arc;

use sentinelone::contract::fixture::{Provenance, ProvenanceKind, read_all};
use sentinelone::contract::{Recording, Sanitizer, check};
use sentinelone::sandbox::Sandbox;
use sentinelone::{ApiToken, Client, RateLimits};

#[tokio::test]
async fn the_report_counts_and_its_recording_keeps_the_contract() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let token = ApiToken::new(Sandbox::TOKEN)?;
    let folder = tempfile::TempDir::new()?;
    let provenance = Provenance::new(ProvenanceKind::Sandbox, "the tests of downstream");
    let recording = Recording::into_folder(folder.path(), Sanitizer::for_token(&token), provenance)?;
    let recording = Arc::new(recording);
    let client = Client::builder(sandbox.url())
        .token(token)
        .rate_limits(RateLimits::off())
        .recorder(Arc::clone(&recording) as _)
        .build()?;

    let endpoints = downstream::unresolved_by_endpoint(&client).await?;
    assert!(endpoints.values().sum::<usize>() > 0, "the sandbox has unresolved threats");
    assert!(recording.written() > 0 && recording.errors().is_empty());
    sandbox.stop().await;

    // With files of your own in place of these, this is all that a contract test is.
    for (file, exchange) in read_all(folder.path())? {
        for finding in check(&exchange) {
            assert!(finding.is_drift(), "{}: {finding}", file.display());
        }
    }
    Ok(())
}
