//! What it takes to read a page of 1,000 full threats that is in memory already.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput};
use sentinelone::threats::Threat;
use sentinelone::{Answer, Page};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::page;

/// The same types without what the client does for them: what does not decode costs the page.
#[derive(Deserialize)]
struct Bare {
    data: Vec<Threat>,
}

/// Measures for so long with so many samples each, and leaves what criterion found in a folder.
///
/// # Errors
/// When there is no page, or it does not decode as a whole.
pub fn measure(folder: &Path, time: Duration, samples: usize) -> Result<(), String> {
    let body = page::whole()?;
    let read = Page::<Threat>::decode(&body).map_err(|error| error.to_string())?;
    if read.data.len() != page::THREATS {
        return Err(format!("{} of {} threats decode", read.data.len(), page::THREATS));
    }
    drop(read);
    let mut criterion = Criterion::default()
        .output_directory(folder)
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(time)
        .sample_size(samples);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(body.len() as u64)).sampling_mode(SamplingMode::Flat);
    group.bench_function("types", |b| b.iter(|| Page::<Threat>::decode(black_box(&body))));
    group.bench_function("types-by-hand", |b| {
        b.iter(|| serde_json::from_slice::<Bare>(black_box(&body)).map(|page| page.data.len()));
    });
    group.bench_function("value", |b| b.iter(|| serde_json::from_slice::<Value>(black_box(&body))));
    group.bench_function("skipped", |b| b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&body))));
    group.finish();
    Ok(())
}
