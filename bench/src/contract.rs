//! Validation throughput of the contract: a page of 1,000 full threats, validated for some seconds.
//!
//! A program of its own, since its library has more features than that of `s1-bench`. It prints one line of JSON.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sentinelone_bench::page;
use sentinelone_contract::Contract;
use serde_json::{Value, json};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: s1-bench-contract SECONDS";

fn main() -> Result<(), BoxError> {
    let seconds = std::env::args().nth(1).ok_or(USAGE)?;
    let duration = Duration::from_secs(seconds.parse()?);
    let body = page::complete()?;
    let contract = Contract::bundled();
    let operation = contract.operation("threats_list").ok_or("the operation is missing")?;
    // Also compiles the schemas.
    if let Some(finding) = contract.check_response(operation, 200, &body).first() {
        return Err(format!("the page does not conform: {finding}").into());
    }
    let (mut validated, mut parsed) = (Vec::new(), Vec::new());
    let start = Instant::now();
    // The runs alternate, so that other load affects both.
    while start.elapsed() < duration || validated.is_empty() {
        validated.push(seconds_of(|| contract.check_response(operation, 200, black_box(&body))));
        parsed.push(seconds_of(|| serde_json::from_slice::<Value>(black_box(&body))));
    }
    println!("{}", json!({ "bytes": body.len(), "validate": median(validated), "parse": median(parsed) }));
    Ok(())
}

/// Returns the time of a function, with that of dropping its result.
fn seconds_of<T>(run: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    drop(black_box(run()));
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}
