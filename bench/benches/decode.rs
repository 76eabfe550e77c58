//! What it takes to read a page of 1,000 full threats that is in memory already.
#![allow(missing_docs, reason = "criterion's macros make functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sentinelone::threats::Threat;
use sentinelone::{Answer, Page};
use sentinelone_bench::page;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The same types without what the client does for them: what does not decode costs the page.
#[derive(Deserialize)]
struct Bare {
    data: Vec<Threat>,
}

fn decode(criterion: &mut Criterion) {
    let Ok(body) = page::whole() else { return };
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("types", |b| {
        b.iter(|| {
            Page::<Threat>::decode(black_box(&body)).map(|page| assert_eq!(page.data.len(), page::THREATS))
        });
    });
    group.bench_function("types-by-hand", |b| {
        b.iter(|| serde_json::from_slice::<Bare>(black_box(&body)).map(|page| page.data.len()));
    });
    group.bench_function("value", |b| b.iter(|| serde_json::from_slice::<Value>(black_box(&body))));
    group.bench_function("skipped", |b| b.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(&body))));
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
