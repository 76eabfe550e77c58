//! Ten thousand actions under faults that come at random: none is ever done twice.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;
use sentinelone::agents::AgentFilter;
use sentinelone::threats::{MitigationAction, ThreatFilter};
use sentinelone::{ApiToken, Client, RateLimits, Result, Retry, Sent};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clock::Virtual;
use crate::server::{Connection, Server, answer, bound};
use crate::{TOKEN, say};

const ACTIONS: usize = 10_000;

/// How many are under way at once.
const AT_ONCE: usize = 64;

/// For how long the console may say nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// What becomes of a request that arrives, and how often in a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Well,
    /// Done and answered; then the connection ends, while the client may be about to use it again.
    WellThenCloses,
    WellThenResets,
    /// 429: refused.
    Throttled,
    ThrottledRetryAfter,
    /// 503 with `Retry-After`: put off.
    PutOff,
    /// 500, 502, 503 or 504, before or after it was done.
    FailsBefore,
    FailsAfter,
    ResetsBefore,
    ResetsAfter,
    /// Done, and nothing said about it.
    Stalls,
    /// Nothing said, and done when nobody waits for it any more.
    ActsLate,
    CutsTheAnswer,
    Garbage,
}

const FATES: [(Fate, usize); 14] = [
    (Fate::Well, 460),
    (Fate::WellThenCloses, 70),
    (Fate::WellThenResets, 40),
    (Fate::Throttled, 40),
    (Fate::ThrottledRetryAfter, 60),
    (Fate::PutOff, 60),
    (Fate::FailsBefore, 40),
    (Fate::FailsAfter, 40),
    (Fate::ResetsBefore, 35),
    (Fate::ResetsAfter, 35),
    (Fate::Stalls, 20),
    (Fate::ActsLate, 20),
    (Fate::CutsTheAnswer, 40),
    (Fate::Garbage, 40),
];

impl Fate {
    fn draw(dice: &mut Rng) -> Self {
        let all: usize = FATES.iter().map(|(_, weight)| weight).sum();
        let mut left = dice.usize(..all);
        for (fate, weight) in FATES {
            match left.checked_sub(weight) {
                None => return fate,
                Some(rest) => left = rest,
            }
        }
        unreachable!("the dice fall within the weights")
    }

    /// Whether the console said that it did not do it.
    fn refuses(self) -> bool {
        matches!(self, Self::Throttled | Self::ThrottledRetryAfter | Self::PutOff)
    }
}

/// What was asked of one identifier.
#[derive(Clone, Copy, Default)]
struct Asked {
    arrived: u64,
    effects: u32,
    /// Nobody may ask again: it was done, or may have been.
    closed: bool,
    asked_again: bool,
}

/// What happened on the console.
#[derive(Default)]
struct World {
    seed: u64,
    ids: Mutex<HashMap<String, Asked>>,
    fates: Mutex<BTreeMap<Fate, usize>>,
    /// Actions that nobody waits for any more, and are not done yet.
    late: AtomicUsize,
    /// Connections that ended unread.
    unread: AtomicUsize,
}

impl World {
    fn arrives(&self, id: &str) -> (Fate, Rng) {
        let mut ids = self.ids.lock().unwrap();
        let asked = ids.entry(id.to_owned()).or_default();
        asked.arrived += 1;
        asked.asked_again |= asked.closed;
        // By identifier and attempt, since who comes first is not up to the seed.
        let mut mix = DefaultHasher::new();
        (self.seed, id, asked.arrived).hash(&mut mix);
        let mut dice = Rng::with_seed(mix.finish());
        let fate = Fate::draw(&mut dice);
        asked.closed |= !fate.refuses();
        *self.fates.lock().unwrap().entry(fate).or_default() += 1;
        (fate, dice)
    }

    fn acts(&self, id: &str) {
        self.ids.lock().unwrap().get_mut(id).unwrap().effects += 1;
    }
}

async fn serve(mut connection: Connection, world: Arc<World>) {
    if fastrand::u8(..) < 4 {
        world.unread.fetch_add(1, Ordering::SeqCst);
        return connection.reset_unread().await;
    }
    while let Some(request) = connection.request().await {
        let json = request.json();
        let id = json["filter"]["ids"][0].as_str().unwrap();
        let (fate, mut dice) = world.arrives(id);
        let well = answer("200 OK", &[], r#"{"data":{"affected":1}}"#);
        let fails = ["500 Oh", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"];
        let acts = || world.acts(id);
        let said = match fate {
            Fate::Throttled => answer("429 Too Many Requests", &[], "<html>slow</html>"),
            Fate::ThrottledRetryAfter => answer("429 Too Many Requests", &[("Retry-After", "1")], ""),
            Fate::PutOff => answer("503 Service Unavailable", &[("Retry-After", "2")], ""),
            Fate::FailsBefore => answer(dice.choice(fails).unwrap(), &[], ""),
            Fate::ResetsBefore => return connection.reset(),
            Fate::ActsLate => {
                world.late.fetch_add(1, Ordering::SeqCst);
                let (id, world) = (id.to_owned(), Arc::clone(&world));
                // Not even the end of the connection stops it.
                tokio::spawn(async move {
                    tokio::time::sleep(PATIENCE * 2).await;
                    world.acts(&id);
                    world.late.fetch_sub(1, Ordering::SeqCst);
                });
                return connection.stall().await;
            }
            Fate::FailsAfter => {
                acts();
                answer(dice.choice(fails).unwrap(), &[], "")
            }
            Fate::ResetsAfter => {
                acts();
                return connection.reset();
            }
            Fate::Stalls => {
                acts();
                return connection.stall().await;
            }
            Fate::CutsTheAnswer => {
                acts();
                connection.write(&well[..dice.usize(1..well.len())]).await;
                return;
            }
            Fate::Garbage => {
                acts();
                answer("200 OK", &[], r#"{"data":{"affected""#)
            }
            Fate::Well | Fate::WellThenCloses | Fate::WellThenResets => {
                acts();
                well
            }
        };
        let taken = connection.write(said).await;
        match fate {
            Fate::WellThenCloses => return,
            Fate::WellThenResets => return connection.reset_later().await,
            _ if !taken => return,
            _ => {}
        }
    }
}

/// One action of four, on an identifier of its own.
async fn act(client: &Client, number: usize) -> Result<()> {
    let id = number.to_string();
    let threats = client.threats();
    let threat = || ThreatFilter::default().ids([&id]);
    match number % 4 {
        0 => threats.add_note("a note").filter(threat()).send().await.map(drop),
        1 => threats.update_incident().filter(threat()).status("resolved").send().await.map(drop),
        2 => threats.mitigate(MitigationAction::Kill).filter(threat()).send().await.map(drop),
        _ => client.agents().initiate_scan().filter(AgentFilter::default().ids([&id])).send().await.map(drop),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_action_is_ever_done_twice() {
    let seed = std::env::var("S1_FAULT_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("S1_FAULT_SEED={seed} draws the same faults again");
    let world = Arc::new(World { seed, ..World::default() });
    // Holds the port while nobody listens.
    let port = bound("127.0.0.1:0");
    let address = port.local_addr().unwrap();
    let open = || {
        let world = Arc::clone(&world);
        let listener = bound(&address.to_string()).listen(1024).unwrap();
        Server::on(listener, Arc::default(), move |connection| serve(connection, Arc::clone(&world)))
    };
    let client = Client::builder(format!("http://{address}"))
        .token(ApiToken::new(TOKEN).unwrap())
        .retry(Retry::default().attempts(4))
        .rate_limits(RateLimits::off())
        .clock(Virtual::skipping())
        // Waits pass at once, those of other calls too: no call may end by them.
        .timeout(Duration::from_secs(100_000_000))
        .read_timeout(PATIENCE)
        .build()
        .unwrap();

    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut server = Some(open());
    let mut calls = JoinSet::new();
    for number in 0..ACTIONS {
        // Now and then the console is gone for a while.
        match number % 2000 {
            1000 => server.take().unwrap().close().await,
            1040 => {
                // All who came meanwhile have found nobody.
                drop(permits.acquire_many(AT_ONCE as u32).await.unwrap());
                server = Some(open());
            }
            _ => {}
        }
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        let client = client.clone();
        calls.spawn(async move {
            let result = act(&client, number).await;
            drop(permit);
            (number, result)
        });
    }
    let results = calls.join_all().await;
    while world.late.load(Ordering::SeqCst) > 0 {
        tokio::time::sleep(PATIENCE / 10).await;
    }

    let (ids, mut kinds) = (world.ids.lock().unwrap().clone(), BTreeMap::<String, usize>::new());
    let mut wrong = Vec::new();
    assert_eq!(results.len(), ACTIONS);
    for (number, result) in &results {
        let asked = ids.get(&number.to_string()).copied().unwrap_or_default();
        let Asked { arrived, effects, asked_again, .. } = asked;
        let kind = match result {
            Ok(()) if arrived > 1 => "done, in more than one attempt".to_owned(),
            Ok(()) => "done".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        };
        let lies = match result {
            Ok(()) => effects != 1,
            Err(error) => {
                let denies = !error.may_have_acted() && effects > 0;
                denies || error.was_sent() == Sent::No && arrived > 0
            }
        };
        if effects > 1 || asked_again || lies {
            wrong.push(format!("{number}: {arrived} arrived, {effects} effects, {result:?}"));
        }
        *kinds.entry(kind).or_default() += 1;
    }
    let fates = world.fates.lock().unwrap().clone();
    let unread = world.unread.load(Ordering::SeqCst);
    println!("{kinds:?}\n{fates:?}\n{unread} connections ended unread");
    assert!(wrong.is_empty(), "seed {seed}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));

    // All of it really happened.
    for (fate, weight) in FATES {
        let count = fates.get(&fate).copied().unwrap_or_default();
        assert!(count * 2 > weight * ACTIONS / 1000, "seed {seed}: {fate:?} happened {count} times only");
    }
    assert!(unread > 20, "{unread} connections ended unread");
    let least = [
        ("done", 5000),
        ("done, in more than one attempt", 500),
        ("Api", 300),
        ("Broken", 500),
        ("Connect", 50),
        ("Decode", 200),
        ("Timeout", 60),
    ];
    for (kind, least) in least {
        let count = kinds.get(kind).copied().unwrap_or_default();
        assert!(count >= least, "seed {seed}: {kind} is how {count} ended only");
    }
    let done: usize = ids.values().map(|asked| asked.effects as usize).sum();
    say(&format!("{ACTIONS} actions under random faults: {done} done, none twice (S1_FAULT_SEED={seed})"));
}
