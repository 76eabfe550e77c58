//! Local sandbox console: an HTTP server on loopback with an example tenant.
//!
//! The sandbox implements all operations of the bundled specification. It validates each request first; an invalid
//! request gets status 400 with one error per finding. Lists support filters, sorting and pagination. Actions change
//! the tenant, and all connections see the change until the sandbox ends. A condition that the sandbox does not
//! implement gets status 501 with its name.
//!
//! As on a real console, an action whose filter is empty or not selective affects all items, and a list without items
//! is ignored. The client prevents this: it does not send such a request unless `everything_in_scope` is set.
//!
//! Jobs advance with each read: queries and scripts finish, STAR rules become active, and uploads appear after a few
//! polls. Uploads are real archives, protected by the requested password. [`Sandbox::inject`] adds threats and alerts.
//!
//! The times of the example data are relative to the start of the sandbox. [`SandboxBuilder::clock`] sets the clock.
//!
//! The sandbox has no rate limits, no permissions and no agents; a mitigation takes effect at once. It listens on
//! 127.0.0.1 only and uses HTTP without TLS. An [`InProcessSandbox`] responds without a server.
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use sentinelone_sandbox::Sandbox;
//!
//! let sandbox = Sandbox::start().await?;
//! println!("{} with the token {}", sandbox.url(), Sandbox::TOKEN);
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod clock;
mod data_lake;
mod expression;
mod files;
mod handler;
mod in_process;
mod inject;
mod message;
mod query_fault;
mod respond;
mod routing;
mod running_queries;
mod sandbox;
mod select;
mod server;
mod state;
mod tenant;
mod undeclared;
mod values;

pub use in_process::InProcessSandbox;
pub use query_fault::{QueryFault, UnknownQueryFaultError};
pub use sandbox::{Sandbox, SandboxBuilder};
pub use state::RecordedExchange;
