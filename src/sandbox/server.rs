//! HTTP around the play.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::contract::Contract;
use crate::response::{REQUEST_ID, SANDBOX_REQUEST};

use super::play::{Answer, Ask, Body, play};
use super::{Recorded, State};

/// The longest body that is taken.
const LONGEST_BODY: usize = 10 * 1024 * 1024;

/// The longest body that is read to its end, so that whoever sends it gets to see the refusal.
const LONGEST_READ: usize = 8 * LONGEST_BODY;

/// The longest body that is remembered, so that many of them do not fill the memory.
const LONGEST_REMEMBERED: usize = 1024 * 1024;

/// Accepts connections until told to stop, then waits for those that are busy.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>, stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = match select(pin!(listener.accept()), pin!(until(stopped.clone()))).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(_) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, Arc::clone(&state), stopped.clone()));
            }
            // Most often a connection that was closed again, or too many open files: give the other
            // tasks a chance to close some.
            Err(_) => tokio::task::yield_now().await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits for the word to stop; a sender that is gone counts as one.
async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn connection(stream: TcpStream, state: Arc<State>, stopped: watch::Receiver<bool>) {
    let busy = AtomicBool::new(false);
    let service = service_fn(|request: Request<Incoming>| {
        let (state, stopped, busy) = (Arc::clone(&state), stopped.clone(), &busy);
        async move {
            busy.store(true, Ordering::Relaxed);
            let response = answer(request, &state, stopped).await;
            busy.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let server = hyper::server::conn::http1::Builder::new();
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let told = matches!(select(connection.as_mut(), pin!(until(stopped.clone()))).await, Either::Right(_));
    // An idle connection is dropped: its peer may never say another word.
    if told && busy.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

async fn answer(
    request: Request<Incoming>,
    state: &State,
    stopped: watch::Receiver<bool>,
) -> Response<Full<Bytes>> {
    let (head, incoming) = request.into_parts();
    // Who stops half-way through a body must not keep the sandbox from ending.
    let body = match select(pin!(read(incoming)), pin!(until(stopped))).await {
        Either::Left((body, _)) => body,
        Either::Right(_) => Body::Incomplete,
    };
    let query = url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let ask = Ask {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: query.into_owned().collect(),
        origin: {
            let host = head.headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
            format!("http://{}", host.unwrap_or("127.0.0.1"))
        },
        authorization: head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
        body,
    };
    let (reply, number) = {
        let mut inner = state.lock();
        let reply = play(Contract::bundled(), &mut inner.tenant, &ask);
        let number = inner.record(Recorded {
            method: ask.method.to_owned(),
            path: ask.path.to_owned(),
            body: match &ask.body {
                Body::Whole(bytes) if !bytes.is_empty() && bytes.len() <= LONGEST_REMEMBERED => Some(
                    serde_json::from_slice(bytes)
                        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned())),
                ),
                _ => None,
            },
            query: ask.query,
            status: reply.status.as_u16(),
            answer: match &reply.body {
                Answer::Json(body) => body.clone(),
                Answer::Zip(_) => Value::Null,
            },
        });
        (reply, number)
    };
    let (bytes, kind) = match reply.body {
        Answer::Json(body) => (Bytes::from(body.to_string()), "application/json"),
        Answer::Zip(bytes) => (Bytes::from(bytes), "application/zip"),
    };
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::try_from(format!("{SANDBOX_REQUEST}{number}")) {
        headers.insert(REQUEST_ID, id);
    }
    if reply.status == StatusCode::UNAUTHORIZED {
        headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("ApiToken"));
    }
    response
}

async fn read(mut incoming: Incoming) -> Body {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return Body::Incomplete };
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > LONGEST_READ {
            break;
        }
        if length <= LONGEST_BODY {
            bytes.extend_from_slice(&data);
        }
    }
    if length > LONGEST_BODY { Body::TooLong } else { Body::Whole(bytes.into()) }
}
