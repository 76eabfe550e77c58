//! Benchmark of decoding a page of 1,000 full threats from memory.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput};
use sentinelone::threats::Threat;
use sentinelone::{Page, RawItem, ResponseBody};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::page;

/// The same types without the item isolation of the client: an item that does not decode fails the page.
#[derive(Deserialize)]
struct PlainPage {
    data: Vec<Threat>,
}

/// Runs each benchmark for `time` with `samples` samples. criterion writes its results to `directory`.
///
/// # Errors
/// Returns an error if the page cannot be built, or if an item of it does not decode.
pub fn measure(directory: &Path, time: Duration, samples: usize) -> Result<(), String> {
    let body = page::complete()?;
    let page = Page::<Threat>::decode(&body).map_err(|error| error.to_string())?;
    if page.data.len() != page::THREATS {
        return Err(format!("{} of {} threats decode", page.data.len(), page::THREATS));
    }
    drop(page);
    let mut criterion = Criterion::default()
        .output_directory(directory)
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(time)
        .sample_size(samples);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(body.len() as u64)).sampling_mode(SamplingMode::Flat);
    group.bench_function("types", |b| b.iter(|| Page::<Threat>::decode(black_box(&body))));
    group.bench_function("types-by-hand", |b| {
        b.iter(|| serde_json::from_slice::<PlainPage>(black_box(&body)).map(|page| page.data.len()));
    });
    let shared = Bytes::from(body.clone());
    group.bench_function("raw", |b| b.iter(|| Page::<RawItem>::decode_shared(black_box(&shared))));
    group.bench_function("value", |b| b.iter(|| serde_json::from_slice::<Value>(black_box(&body))));
    group.bench_function("skipped", |b| b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&body))));
    group.finish();
    Ok(())
}
