//! One side of a measurement, in a process of its own so that its memory is its own: `serve` answers, `list` and
//! `act` ask, with this project's client or by hand, and each of them prints one line of JSON. `decode` asks nobody,
//! and criterion writes down what it finds.

use std::hint::black_box;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sentinelone::threats::{IncidentStatus, Threat, ThreatFilter};
use sentinelone::{ApiToken, Client, RateLimits};
use sentinelone_bench::{decode, page, server};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Of no console: the server asks for none.
const TOKEN: &str = "bench-token-of-no-console";
const THREATS: &str = "/web/api/v2.1/threats";
const INCIDENT: &str = "/web/api/v2.1/threats/incident";
const USAGE: &str = "usage: s1-bench decode FOLDER SECONDS SAMPLES | serve PAGES | list client|prefetch|types|value URL WORK_MS \
                     | act client|reqwest URL COUNT IN_FLIGHT";

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.as_slice() {
        ["decode", folder, time, samples] => {
            let time = Duration::from_secs(time.parse()?);
            Ok(decode::measure(Path::new(folder), time, samples.parse()?)?)
        }
        ["serve", pages] => serve(pages.parse()?),
        ["list", with, url, work] => {
            let work = Duration::from_millis(work.parse()?);
            let begun = Instant::now();
            let threats = runtime.block_on(list(with, url, work))?;
            told(begun.elapsed(), threats);
            Ok(())
        }
        ["act", with, url, count, in_flight] => {
            let (count, in_flight) = (count.parse()?, in_flight.parse()?);
            let begun = Instant::now();
            let done = runtime.block_on(act(with, url, count, in_flight))?;
            told(begun.elapsed(), done);
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

/// Serves until the other end of its input is gone, so that it never outlives whoever measures.
fn serve(pages: usize) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", json!({ "url": format!("http://{}", listener.local_addr()?) }));
    std::thread::spawn(move || server::serve(&listener, pages));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn told(took: Duration, count: usize) {
    println!("{}", json!({ "seconds": took.as_secs_f64(), "count": count, "peak_kib": peak() }));
}

/// The most memory that this process had, in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn client(url: &str) -> Result<Client, Failure> {
    Ok(Client::builder(url).token(ApiToken::new(TOKEN)?).rate_limits(RateLimits::off()).build()?)
}

fn by_hand() -> Result<reqwest::Client, Failure> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(180)).no_proxy().build()?)
}

/// Reads every threat; at the end of every page the caller has something else to wait for.
async fn list(with: &str, url: &str, work: Duration) -> Result<usize, Failure> {
    match with {
        "client" | "prefetch" => {
            let client = client(url)?;
            let mut items = client.threats().list().items();
            if with == "prefetch" {
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
        "types" => pages_by_hand::<Threat>(url).await,
        "value" => pages_by_hand::<Value>(url).await,
        _ => Err(USAGE.into()),
    }
}

/// The loop that people write.
async fn pages_by_hand<T: DeserializeOwned>(url: &str) -> Result<usize, Failure> {
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

    let http = by_hand()?;
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let address = match cursor.as_str() {
            "" => format!("{url}{THREATS}?limit={}", page::THREATS),
            cursor => format!("{url}{THREATS}?limit={}&cursor={cursor}", page::THREATS),
        };
        let request = http.get(address).header("authorization", format!("ApiToken {TOKEN}"));
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

/// Sets the status of one threat after another, in so many tasks at once.
async fn act(with: &str, url: &str, count: usize, in_flight: usize) -> Result<usize, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    match with {
        "client" => {
            let client = client(url)?;
            for _ in 0..in_flight {
                let (client, next) = (client.clone(), Arc::clone(&next));
                tasks.spawn(one_by_one(next, count, move |id| {
                    let client = client.clone();
                    async move { by_client(&client, id).await }
                }));
            }
        }
        "reqwest" => {
            let http = by_hand()?;
            let address: Arc<str> = format!("{url}{INCIDENT}").into();
            for _ in 0..in_flight {
                let (http, next, address) = (http.clone(), Arc::clone(&next), Arc::clone(&address));
                tasks.spawn(one_by_one(next, count, move |id| {
                    let (http, address) = (http.clone(), Arc::clone(&address));
                    async move { by_reqwest(&http, &address, id).await }
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

/// Takes the next number as long as there is one; tells how many were done.
async fn one_by_one<F: Future<Output = Result<bool, Failure>>>(
    next: Arc<AtomicUsize>,
    count: usize,
    act: impl Fn(String) -> F,
) -> Result<usize, Failure> {
    let mut done = 0;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(done);
        }
        done += usize::from(act(format!("46{number:016}")).await?);
    }
}

async fn by_client(client: &Client, id: String) -> Result<bool, Failure> {
    let update = client.threats().update_incident().filter(ThreatFilter::default().ids([id]));
    let answer = update.status(IncidentStatus::Resolved).send().await?;
    Ok(answer.affected() == Some(1))
}

async fn by_reqwest(http: &reqwest::Client, address: &str, id: String) -> Result<bool, Failure> {
    let body = json!({ "filter": { "ids": [id] }, "data": { "incidentStatus": "resolved" } });
    let request = http
        .post(address)
        .header("authorization", format!("ApiToken {TOKEN}"))
        .header("content-type", "application/json")
        .body(body.to_string());
    let body = request.send().await?.error_for_status()?.bytes().await?;
    let answer: Value = serde_json::from_slice(&body)?;
    Ok(answer["data"]["affected"] == 1)
}
