//! A sandbox without a server.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response};
use sentinelone::Timestamp;
use sentinelone::incidents::Stream;

use super::message::Body;
use super::respond::{MAX_BODY_SIZE, respond};
use super::sandbox::SandboxBuilder;
use super::state::{RecordedExchange, State};

/// A sandbox that responds to requests by a function, without a server; from [`SandboxBuilder::in_process`]. Clones
/// share the data.
///
/// A closure connects it to a client:
///
/// ```
/// use sentinelone::{ApiToken, Client};
/// use sentinelone_sandbox::Sandbox;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::builder().in_process()?;
/// let console = sandbox.clone();
/// let client = Client::builder("https://console.example")
///     .token(ApiToken::new(Sandbox::TOKEN)?)
///     .transport(move |request| console.respond(request))
///     .build()?;
///
/// client.system().status().await?;
/// assert_eq!(sandbox.exchanges()[0].path, "/web/api/v2.1/system/status");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct InProcessSandbox(Arc<State>);

impl InProcessSandbox {
    /// Returns the response to a request. Links in it have the origin of the request: that of its URL, or `http://` and
    /// the header `Host`.
    pub fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (head, body) = request.into_parts();
        let body = if body.len() > MAX_BODY_SIZE { Body::TooLong } else { Body::Complete(body) };
        let origin = match (head.uri.scheme_str(), head.uri.authority()) {
            (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
            _ => {
                let host = head.headers.get(HOST).and_then(|value| value.to_str().ok());
                format!("http://{}", host.unwrap_or("127.0.0.1"))
            }
        };
        respond(&head, origin, body, &self.0)
    }

    /// Returns the current time of the sandbox, from its [clock](SandboxBuilder::clock).
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Returns the number of long-running queries; see [`Sandbox::running_queries`](crate::Sandbox::running_queries).
    pub fn running_queries(&self) -> usize {
        self.0.running_queries()
    }

    /// Returns the last [`MAX_EXCHANGES`](super::Sandbox::MAX_EXCHANGES) exchanges, oldest first.
    pub fn exchanges(&self) -> Vec<RecordedExchange> {
        self.0.lock().exchanges.iter().cloned().collect()
    }

    /// Adds new threats or alerts and returns their IDs; see [`Sandbox::inject`](super::Sandbox::inject).
    pub fn inject(&self, stream: Stream, count: usize, created: &Timestamp) -> Vec<String> {
        self.0.inject(stream, count, created)
    }
}

impl SandboxBuilder {
    /// Returns a sandbox without a server. The [port](Self::port) has no effect.
    ///
    /// # Errors
    /// Returns an error if the time of the clock is not a valid time.
    pub fn in_process(self) -> io::Result<InProcessSandbox> {
        Ok(InProcessSandbox(Arc::new(self.state()?)))
    }
}
