//! Contract test of the crate: runs it against the sandbox and validates the recorded exchanges.

use std::sync::Arc;

use sentinelone_contract::fixture::{Provenance, ProvenanceKind, read_dir};
use sentinelone_contract::{FixtureRecorder, Sanitizer, check};
use sentinelone_sandbox::Sandbox;
use sentinelone::{ApiToken, Client, RateLimits};

#[tokio::test]
async fn unresolved_by_endpoint_recording_matches_contract() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let token = ApiToken::new(Sandbox::TOKEN)?;
    let dir = tempfile::TempDir::new()?;
    let provenance = Provenance::new(ProvenanceKind::Sandbox, "downstream contract test");
    let recorder = FixtureRecorder::create(dir.path(), Sanitizer::for_token(&token), provenance)?;
    let recorder = Arc::new(recorder);
    let client = Client::builder(sandbox.url())
        .token(token)
        .rate_limits(RateLimits::disabled())
        .recorder(Arc::clone(&recorder) as _)
        .build()?;

    let endpoints = downstream::unresolved_by_endpoint(&client).await?;
    assert!(endpoints.values().sum::<usize>() > 0, "the sandbox has unresolved threats");
    assert!(recorder.written_count() > 0 && recorder.errors().is_empty());
    sandbox.stop().await;

    // A contract test of your own recordings needs only this loop.
    for (file, exchange) in read_dir(dir.path())? {
        for finding in check(&exchange) {
            assert!(finding.is_drift(), "{}: {finding}", file.display());
        }
    }
    Ok(())
}
