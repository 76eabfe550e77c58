//! HTTP server of the sandbox.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::HOST;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::message::Body;
use super::respond::{MAX_BODY_SIZE, respond};
use super::state::State;

/// Maximum size of a request body that is read completely, so that the client receives the error response.
const MAX_READ_SIZE: usize = 8 * MAX_BODY_SIZE;

/// Accepts connections until stopped, then waits for those with a request in progress.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = match select(pin!(listener.accept()), pin!(wait_for_stop(stopped.clone()))).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(_) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, Arc::clone(&state), stopped.clone()));
            }
            // Usually a connection that was closed early, or too many open files. Yields so that other tasks can
            // close some.
            Err(_) => tokio::task::yield_now().await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits for the stop signal. A dropped sender counts as one.
async fn wait_for_stop(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn connection(stream: TcpStream, state: Arc<State>, stopped: watch::Receiver<bool>) {
    let busy = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        let (state, stopped, busy) = (Arc::clone(&state), stopped.clone(), &busy);
        async move {
            busy.store(true, Ordering::Relaxed);
            let response = read_and_respond(request, &state, stopped).await;
            busy.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let server = hyper::server::conn::http1::Builder::new();
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let stop_requested =
        matches!(select(connection.as_mut(), pin!(wait_for_stop(stopped.clone()))).await, Either::Right(_));
    // Idle connections are dropped, since the peer may never send another request.
    if stop_requested && busy.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn read_and_respond(
    http_request: Request<Incoming>,
    state: &State,
    stopped: watch::Receiver<bool>,
) -> Response<Full<Bytes>> {
    let (head, incoming) = http_request.into_parts();
    // A client that stops in the middle of a body must not delay the shutdown.
    let body = match select(pin!(read_body(incoming)), pin!(wait_for_stop(stopped))).await {
        Either::Left((body, _)) => body,
        Either::Right(_) => Body::Incomplete,
    };
    let host = head.headers.get(HOST).and_then(|value| value.to_str().ok());
    let origin = format!("http://{}", host.unwrap_or("127.0.0.1"));
    respond(&head, origin, body, state).map(Full::new)
}

async fn read_body(mut incoming: Incoming) -> Body {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return Body::Incomplete };
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > MAX_READ_SIZE {
            break;
        }
        if length <= MAX_BODY_SIZE {
            bytes.extend_from_slice(&data);
        }
    }
    if length > MAX_BODY_SIZE { Body::TooLong } else { Body::Complete(bytes.into()) }
}
