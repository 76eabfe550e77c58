//! Client or server of a benchmark. Each side runs in its own process, so that its peak memory can be measured.
//!
//! `serve` runs the server. `list`, `fetch` and `act` send requests, with this project's client or with plain reqwest.
//! `run` measures another program. `har` writes a file to validate. These print one line of JSON. `decode` sends no
//! requests; criterion writes its results.

use std::hint::black_box;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sentinelone::incidents::{Checkpoint, Fetcher, IncidentConfig};
use sentinelone::threats::{IncidentStatus, Threat, ThreatFilter};
use sentinelone::{ApiToken, Client, RateLimits};
use sentinelone_bench::{decode, har, page, process, server};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Example token; the server accepts any token.
const TOKEN: &str = "bench-example-token";
const THREATS: &str = "/web/api/v2.1/threats";
const INCIDENT: &str = "/web/api/v2.1/threats/incident";
const USAGE: &str = "usage: s1-bench decode DIR SECONDS SAMPLES | serve PAGES [DELAY_MS] | \
                     list client|prefetch|types|value URL WORK_MS | fetch URL LIMIT | \
                     act client|reqwest URL COUNT IN_FLIGHT | har FILE MEGABYTES | run PROGRAM ARGUMENT…";

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.as_slice() {
        ["decode", directory, time, samples] => {
            let time = Duration::from_secs(time.parse()?);
            Ok(decode::measure(Path::new(directory), time, samples.parse()?)?)
        }
        ["serve", pages] => serve(pages.parse()?, Duration::ZERO),
        ["serve", pages, delay] => serve(pages.parse()?, Duration::from_millis(delay.parse()?)),
        ["list", variant, url, work] => {
            let work = Duration::from_millis(work.parse()?);
            let start = Instant::now();
            let threats = runtime.block_on(list(variant, url, work))?;
            print_result(start.elapsed(), threats);
            Ok(())
        }
        ["fetch", url, limit] => {
            let limit = limit.parse()?;
            let start = Instant::now();
            let incidents = runtime.block_on(fetch(url, limit))?;
            print_result(start.elapsed(), incidents);
            Ok(())
        }
        ["act", variant, url, count, in_flight] => {
            let (count, in_flight) = (count.parse()?, in_flight.parse()?);
            let start = Instant::now();
            let done = runtime.block_on(act(variant, url, count, in_flight))?;
            print_result(start.elapsed(), done);
            Ok(())
        }
        ["har", file, megabytes] => {
            let megabytes: u64 = megabytes.parse()?;
            let (bytes, exchanges) = har::write(Path::new(file), megabytes * 1_000_000)?;
            println!("{}", json!({ "bytes": bytes, "count": exchanges }));
            Ok(())
        }
        ["run", program, arguments @ ..] => {
            println!("{}", process::run(program, arguments)?);
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

/// Serves until standard input is closed, so that the server ends with the process that started it.
fn serve(pages: usize, delay: Duration) -> Result<(), BoxError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", json!({ "url": format!("http://{}", listener.local_addr()?) }));
    std::thread::spawn(move || server::serve(&listener, pages, delay));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn print_result(elapsed: Duration, count: usize) {
    println!("{}", json!({ "seconds": elapsed.as_secs_f64(), "count": count, "peak_kib": peak_memory() }));
}

/// Returns the peak memory of this process in KiB; `None` if the system does not report it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn client(url: &str) -> Result<Client, BoxError> {
    Ok(Client::builder(url).token(ApiToken::new(TOKEN)?).rate_limits(RateLimits::disabled()).build()?)
}

fn plain_client() -> Result<reqwest::Client, BoxError> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(180)).no_proxy().build()?)
}

/// Reads all threats. After each page the caller sleeps for `work`, which simulates processing.
async fn list(variant: &str, url: &str, work: Duration) -> Result<usize, BoxError> {
    match variant {
        "client" | "prefetch" => {
            let client = client(url)?;
            let mut items = client.threats().list().items();
            if variant == "prefetch" {
                items = items.prefetch();
            }
            let mut count = 0;
            while let Some(threat) = items.next().await {
                black_box(threat?);
                count += 1;
                if count % page::THREATS == 0 && !work.is_zero() {
                    tokio::time::sleep(work).await;
                }
            }
            Ok(count)
        }
        "types" => list_with_reqwest::<Threat>(url).await,
        "value" => list_with_reqwest::<Value>(url).await,
        _ => Err(USAGE.into()),
    }
}

/// Reads all pages with plain reqwest, as a hand-written script does.
async fn list_with_reqwest<T: DeserializeOwned>(url: &str) -> Result<usize, BoxError> {
    #[derive(Deserialize)]
    struct Page<T> {
        data: Vec<T>,
        pagination: Pagination,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Pagination {
        next_cursor: Option<String>,
    }

    let http = plain_client()?;
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let target = match cursor.as_str() {
            "" => format!("{url}{THREATS}?limit={}", page::THREATS),
            cursor => format!("{url}{THREATS}?limit={}&cursor={cursor}", page::THREATS),
        };
        let request = http.get(target).header("authorization", format!("ApiToken {TOKEN}"));
        let body = request.send().await?.error_for_status()?.bytes().await?;
        let page: Page<T> = serde_json::from_slice(&body)?;
        drop(body);
        for threat in page.data {
            black_box(threat);
            count += 1;
        }
        match page.pagination.next_cursor {
            Some(next) => cursor = next,
            None => return Ok(count),
        }
    }
}

/// Fetches all threats as incidents, up to `limit` per poll. Returns their number.
async fn fetch(url: &str, limit: u32) -> Result<usize, BoxError> {
    let mut config = IncidentConfig::default();
    // Before the first threat.
    config.first_fetch = "2023-12-31T00:00:00Z".to_owned();
    config.limit = limit;
    let fetcher = Fetcher::new(client(url)?, config)?;
    let (mut checkpoint, mut count) = (Checkpoint::default(), 0);
    loop {
        let batch = fetcher.poll(&checkpoint).await?;
        count += batch.incidents.len();
        black_box(batch.incidents);
        checkpoint = batch.checkpoint;
        if !batch.has_more {
            return Ok(count);
        }
    }
}

/// Sets the status of `count` threats, one request each, in `in_flight` concurrent tasks.
async fn act(variant: &str, url: &str, count: usize, in_flight: usize) -> Result<usize, BoxError> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    match variant {
        "client" => {
            let client = client(url)?;
            for _ in 0..in_flight {
                let (client, next) = (client.clone(), Arc::clone(&next));
                tasks.spawn(run_sequentially(next, count, move |id| {
                    let client = client.clone();
                    async move { update_with_client(&client, id).await }
                }));
            }
        }
        "reqwest" => {
            let http = plain_client()?;
            let target: Arc<str> = format!("{url}{INCIDENT}").into();
            for _ in 0..in_flight {
                let (http, next, target) = (http.clone(), Arc::clone(&next), Arc::clone(&target));
                tasks.spawn(run_sequentially(next, count, move |id| {
                    let (http, target) = (http.clone(), Arc::clone(&target));
                    async move { update_with_reqwest(&http, &target, id).await }
                }));
            }
        }
        _ => return Err(USAGE.into()),
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok(done)
}

/// Runs `act` for the next numbers below `count`. Returns the number of successful actions.
async fn run_sequentially<F: Future<Output = Result<bool, BoxError>>>(
    next: Arc<AtomicUsize>,
    count: usize,
    act: impl Fn(String) -> F,
) -> Result<usize, BoxError> {
    let mut done = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(done);
        }
        done += usize::from(act(page::id(number as u64)).await?);
    }
}

async fn update_with_client(client: &Client, id: String) -> Result<bool, BoxError> {
    let update = client.threats().update_incident().filter(ThreatFilter::default().ids([id]));
    let response = update.status(IncidentStatus::Resolved).send().await?;
    Ok(response.affected() == Some(1))
}

async fn update_with_reqwest(http: &reqwest::Client, target: &str, id: String) -> Result<bool, BoxError> {
    let body = json!({ "filter": { "ids": [id] }, "data": { "incidentStatus": "resolved" } });
    let request = http
        .post(target)
        .header("authorization", format!("ApiToken {TOKEN}"))
        .header("content-type", "application/json")
        .body(body.to_string());
    let body = request.send().await?.error_for_status()?.bytes().await?;
    let response: Value = serde_json::from_slice(&body)?;
    Ok(response["data"]["affected"] == 1)
}
