//! HTTP server of the sandbox.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, DATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sentinelone::raw::runtime::Timestamp;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use sentinelone_contract::Contract;
use sentinelone_contract::fixture::{REQUEST_ID_HEADER, SANDBOX_REQUEST_ID_PREFIX};

use super::handler::handle;
use super::message::{Body, ResponseContent, SandboxRequest};
use super::routing::allowed_methods;
use super::state::{RecordedExchange, State};

/// Maximum size of a request body.
const MAX_BODY_SIZE: usize = 10 * 1024 * 1024;

/// Maximum size of a request body that is read completely, so that the client receives the error response.
const MAX_READ_SIZE: usize = 8 * MAX_BODY_SIZE;

/// End of the year 9999, in seconds since 1970.
const END_OF_YEAR_9999: u64 = 253_402_300_800;

/// Maximum size of a request body in the recorded exchanges, which limits the memory use.
const MAX_RECORDED_SIZE: usize = 1024 * 1024;

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
            let response = respond(request, &state, stopped).await;
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

async fn respond(
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
    let now = state.clock.now();
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let request = SandboxRequest {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: query.into_owned().collect(),
        origin: {
            let host = head.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
            format!("http://{}", host.unwrap_or("127.0.0.1"))
        },
        authorization: head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
        now: now.clone(),
        body,
    };
    let (response, number) = {
        let mut inner = state.lock();
        let response = handle(Contract::bundled(), &mut inner.tenant, &request);
        let number = inner.record(RecordedExchange {
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            body: match &request.body {
                Body::Complete(bytes) if !bytes.is_empty() && bytes.len() <= MAX_RECORDED_SIZE => Some(
                    serde_json::from_slice(bytes)
                        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())),
                ),
                _ => None,
            },
            query: request.query,
            status: response.status.as_u16(),
            response: match &response.body {
                ResponseContent::Json(body) => body.clone(),
                ResponseContent::Zip(_) => Value::Null,
            },
        });
        (response, number)
    };
    let (bytes, content_type) = match response.body {
        ResponseContent::Json(body) => (Bytes::from(body.to_string()), "application/json"),
        ResponseContent::Zip(bytes) => (Bytes::from(bytes), "application/zip"),
    };
    let mut http_response = Response::new(Full::new(bytes));
    *http_response.status_mut() = response.status;
    let headers = http_response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::try_from(format!("{SANDBOX_REQUEST_ID_PREFIX}{number}")) {
        headers.insert(REQUEST_ID_HEADER, id);
    }
    if let Some(date) = http_date(&now) {
        headers.insert(DATE, date);
    }
    if response.status == StatusCode::METHOD_NOT_ALLOWED
        && let Ok(methods) =
            HeaderValue::try_from(allowed_methods(Contract::bundled(), head.uri.path()).join(", "))
    {
        headers.insert(ALLOW, methods);
    }
    if response.status == StatusCode::UNAUTHORIZED {
        headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiToken"));
    }
    http_response
}

/// Returns a time as the header `Date`; `None` outside the years 1970 to 9999, which the header cannot have.
fn http_date(time: &Timestamp) -> Option<HeaderValue> {
    let seconds = u64::try_from(time.unix_millis()?).ok()? / 1000;
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    (seconds < END_OF_YEAR_9999).then(|| HeaderValue::try_from(httpdate::fmt_http_date(time)).ok())?
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
