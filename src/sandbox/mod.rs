//! A console to try things on: an HTTP server on loopback that plays a small invented tenant.
//!
//! Everything it does comes from the bundled specification, so it knows every operation that this client
//! knows. A request is held to the specification first, and whatever departs from it is refused with
//! status 400 and an entry for every departure. Then the operation is played: lists are selected,
//! sorted and paged, actions change the tenant, and the change is there for all connections until the
//! sandbox ends. A condition that cannot be played is answered with status 501, which names it.
//!
//! Like a real console, the sandbox takes an action with an empty filter, or with one that selects
//! nothing in particular, for an action on everything, and passes over a list without items. What keeps
//! people from that is the client, which does not send such a request unasked.
//!
//! What takes a while on a real console takes a few looks here: queries and scripts finish, rules become active
//! and uploads appear as they are asked after. Uploads are real archives, protected by the password that was
//! asked for. New threats and alerts come when [`Sandbox::arrive`] says so.
//!
//! What it is not: it has no rate limits, no permissions and no agents, and a mitigation is done as soon as it
//! is ordered. It listens on 127.0.0.1 only and speaks HTTP without TLS.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use sentinelone::sandbox::Sandbox;
//!
//! let sandbox = Sandbox::start().await?;
//! println!("{} with the token {}", sandbox.url(), Sandbox::TOKEN);
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod arrivals;
mod expression;
mod files;
mod play;
mod select;
mod server;
mod tenant;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use tenant::Tenant;

/// A running sandbox. Dropping it ends it at once; [`stop`](Self::stop) lets requests under way finish.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    state: Arc<State>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// A request that the sandbox was asked, and its answer. The token is not kept.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Recorded {
    /// HTTP method.
    pub method: String,
    /// Path, as it was sent.
    pub path: String,
    /// Query as decoded pairs, in order.
    pub query: Vec<(String, String)>,
    /// Body; a text where it was no JSON, `None` where there was none, or more than 1 MB.
    pub body: Option<Value>,
    /// HTTP status of the answer.
    pub status: u16,
    /// Body of the answer.
    pub answer: Value,
}

impl Sandbox {
    /// The token that it takes. Not a secret.
    pub const TOKEN: &str = "sandbox-token";

    /// How many exchanges [`exchanges`](Self::exchanges) remembers.
    pub const REMEMBERED: usize = 1000;

    /// Starts one on 127.0.0.1 and a free port, as tasks of the tokio runtime that this is called on.
    ///
    /// # Errors
    /// When the system gives no port.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts one on 127.0.0.1 and this port; 0 stands for any free one.
    ///
    /// # Errors
    /// When the port is taken or not allowed.
    pub async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let (stop, stopped) = watch::channel(false);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state), stopped));
        Ok(Self { address, state, stop, server })
    }

    /// Its address: `http://127.0.0.1:` and the port.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked and answered so far, oldest first: the last [`REMEMBERED`](Self::REMEMBERED)
    /// exchanges.
    pub fn exchanges(&self) -> Vec<Recorded> {
        self.state.lock().exchanges.iter().cloned().collect()
    }

    /// Ends it: no new requests are taken, those under way are answered.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error says that the task was cancelled or panicked; either way it has ended.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What all connections share.
#[derive(Debug, Default)]
struct State(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    tenant: Tenant,
    exchanges: VecDeque<Recorded>,
    answered: u64,
}

impl State {
    /// Only ever held between two awaits.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A request that panicked leaves at worst half of its own changes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Counts an answer and remembers the exchange; the number is that of the answer.
    fn record(&mut self, exchange: Recorded) -> u64 {
        if self.exchanges.len() == Sandbox::REMEMBERED {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange);
        self.answered += 1;
        self.answered
    }
}
