//! A server with injected faults, on raw sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Returns the method and the path, without the query.
    pub(crate) fn method_and_path(&self) -> String {
        let line = self.head.lines().next().unwrap_or_default();
        line.split([' ', '?']).take(2).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the token and the body, which error responses quote, as some proxies do.
    fn echo(&self) -> (String, String) {
        let token = self.header("authorization").unwrap_or_default().to_owned();
        (token, String::from_utf8_lossy(&self.body).into_owned())
    }
}

/// Received connections and requests.
#[derive(Debug, Default)]
pub(crate) struct Log {
    connections: AtomicUsize,
    requests: Mutex<Vec<Received>>,
}

/// An accepted connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    log: Arc<Log>,
}

impl Connection {
    /// Reads a complete request. Returns `None` if the client closes the connection.
    pub(crate) async fn request(&mut self) -> Option<Received> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more().await?;
        };
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let mut received = Received { head, body: Vec::new() };
        let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < end + length {
            self.read_more().await?;
        }
        received.body = self.buffer[end..end + length].to_vec();
        self.buffer.drain(..end + length);
        self.log.requests.lock().unwrap().push(received.clone());
        Some(received)
    }

    async fn read_more(&mut self) -> Option<()> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(1..) => Some(()),
            _ => None,
        }
    }

    /// Writes bytes. Returns whether the connection is still open.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Resets the connection after 5 ms, before or after the client reads the response.
    pub(crate) async fn reset_later(self) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.reset();
    }

    /// Waits for the first bytes and resets the connection without reading them.
    pub(crate) async fn reset_unread(self) {
        let _ = self.stream.peek(&mut [0]).await;
        self.reset();
    }

    /// Sends nothing and returns when the client closes the connection.
    pub(crate) async fn stall(mut self) {
        while self.read_more().await.is_some() {}
    }
}

/// A server that handles each connection with a function.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    accepts: Option<JoinHandle<()>>,
    /// Sockets that reserve the port or fill its queue.
    _held: Vec<HeldSocket>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "the sockets are only held open")]
enum HeldSocket {
    Socket(TcpSocket),
    Listener(TcpListener),
    Stream(TcpStream),
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(accepts) = &self.accepts {
            accepts.abort();
        }
    }
}

/// Binds a loopback socket without a listener.
pub(crate) fn bind_socket(address: &str) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address.parse().unwrap()).unwrap();
    socket
}

impl Server {
    pub(crate) async fn start<F, Fut>(handle: F) -> Self
    where
        F: Fn(Connection) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::on_listener(TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::default(), handle)
    }

    /// Serves on a listener. Dropping the server also drops its connections.
    pub(crate) fn on_listener<F, Fut>(listener: TcpListener, log: Arc<Log>, handle: F) -> Self
    where
        F: Fn(Connection) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&log);
        let accepts = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                stream.set_nodelay(true).unwrap();
                let (buffer, log) = (Vec::new(), Arc::clone(&shared));
                connections.spawn(handle(Connection { stream, buffer, log }));
            }
        });
        Self { address, log, accepts: Some(accepts), _held: Vec::new() }
    }

    /// Starts a server with one fault.
    pub(crate) async fn with_fault(fault: Fault, valid: Arc<Mutex<ValidResponse>>) -> Self {
        match fault {
            Fault::ConnectionRefused => {
                let socket = bind_socket("127.0.0.1:0");
                let address = socket.local_addr().unwrap();
                Self { address, log: Arc::default(), accepts: None, _held: vec![HeldSocket::Socket(socket)] }
            }
            #[cfg(target_os = "linux")]
            Fault::HandshakeStall => {
                let listener = bind_socket("127.0.0.1:0").listen(1).unwrap();
                let address = listener.local_addr().unwrap();
                let mut held = vec![HeldSocket::Listener(listener)];
                // The queue is full as soon as a connection attempt times out.
                let wait = Duration::from_millis(50);
                while let Ok(stream) = tokio::time::timeout(wait, TcpStream::connect(address)).await {
                    held.push(HeldSocket::Stream(stream.unwrap()));
                }
                Self { address, log: Arc::default(), accepts: None, _held: held }
            }
            fault => Self::start(move |connection| serve_fault(fault, connection, Arc::clone(&valid))).await,
        }
    }

    /// Starts a server that sends the responses in order and repeats the last one.
    pub(crate) async fn scripted(responses: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let responses: Vec<Vec<u8>> = responses.into_iter().collect();
        let script = Arc::new((responses, AtomicUsize::new(0)));
        Self::start(move |mut connection| {
            let script = Arc::clone(&script);
            async move {
                while connection.request().await.is_some() {
                    let next = script.1.fetch_add(1, Ordering::SeqCst).min(script.0.len() - 1);
                    if !connection.write(&script.0[next]).await {
                        break;
                    }
                }
            }
        })
        .await
    }

    /// Closes the port and all connections.
    pub(crate) async fn close(mut self) {
        let accepts = self.accepts.take().unwrap();
        accepts.abort();
        let _ = accepts.await;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.log.requests.lock().unwrap().clone()
    }
}

/// Returns a complete response with `Content-Length`.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut response = head(status, headers, &format!("Content-Length: {}\r\n", body.len()));
    response.extend_from_slice(body);
    response
}

/// Returns the head of a response. `length` is the header line for the length of the body.
pub(crate) fn head(status: &str, headers: &[(&str, &str)], length: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{headers}{length}\r\n").into_bytes()
}

/// The response of a server without a fault.
#[derive(Clone, Debug)]
pub(crate) struct ValidResponse {
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Target of redirects.
    pub(crate) redirect_target: SocketAddr,
}

/// An injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No listener on the port.
    ConnectionRefused,
    /// The TCP handshake does not complete.
    #[cfg(target_os = "linux")]
    HandshakeStall,
    /// The connection is reset before the request is read.
    ResetUnread,
    ResetBeforeResponse,
    /// The connection is closed without a response.
    CloseBeforeResponse,
    ResetInHead,
    ResetInBody,
    /// The request is not read.
    StallAfterAccept,
    StallAfterRequest,
    StallInHead,
    StallInBody,
    /// One byte every 20 ms, so that the read timeout does not expire.
    SlowBody,
    IncompleteChunk,
    InvalidJson,
    JsonArray,
    JsonNumber,
    JsonString,
    JsonNull,
    NumericData,
    EmptyObject,
    HtmlWith200,
    HtmlWith429,
    RetryAfterPastDate,
    RetryAfterZero,
    RetryAfterYears,
    RetryAfterYearsDate,
    /// `Retry-After` contains the token instead of a time.
    RetryAfterEcho,
    Unavailable,
    UnavailableRetryAfter,
    BadGateway,
    GatewayTimeout,
    InternalServerError,
    Unauthorized,
    ErrorsWith200,
    EmptyBody,
    NoContent,
    /// `Content-Length` is larger than the body.
    LengthTooLong,
    /// `Content-Length` is smaller than the body.
    LengthTooShort,
    InvalidGzip,
    /// 10 GB with `Content-Length`.
    HugeWithLength,
    /// 10 GB in chunks, without a last chunk.
    HugeChunked,
    Redirect301,
    Redirect302,
    Redirect303,
    Redirect307,
    Redirect308,
    /// A redirect to another host name.
    RedirectToHostname,
    RepeatedCursor,
    NoPagination,
    InvalidHeaders,
    HugeHeader,
    TooManyHeaders,
    NoStatusLine,
    /// Responses with status 1xx before the final response.
    InterimResponses,
}

impl Fault {
    pub(crate) const ALL: &[Self] = &[
        Self::ConnectionRefused,
        #[cfg(target_os = "linux")]
        Self::HandshakeStall,
        Self::ResetUnread,
        Self::ResetBeforeResponse,
        Self::CloseBeforeResponse,
        Self::ResetInHead,
        Self::ResetInBody,
        Self::StallAfterAccept,
        Self::StallAfterRequest,
        Self::StallInHead,
        Self::StallInBody,
        Self::SlowBody,
        Self::IncompleteChunk,
        Self::InvalidJson,
        Self::JsonArray,
        Self::JsonNumber,
        Self::JsonString,
        Self::JsonNull,
        Self::NumericData,
        Self::EmptyObject,
        Self::HtmlWith200,
        Self::HtmlWith429,
        Self::RetryAfterPastDate,
        Self::RetryAfterZero,
        Self::RetryAfterYears,
        Self::RetryAfterYearsDate,
        Self::RetryAfterEcho,
        Self::Unavailable,
        Self::UnavailableRetryAfter,
        Self::BadGateway,
        Self::GatewayTimeout,
        Self::InternalServerError,
        Self::Unauthorized,
        Self::ErrorsWith200,
        Self::EmptyBody,
        Self::NoContent,
        Self::LengthTooLong,
        Self::LengthTooShort,
        Self::InvalidGzip,
        Self::HugeWithLength,
        Self::HugeChunked,
        Self::Redirect301,
        Self::Redirect302,
        Self::Redirect303,
        Self::Redirect307,
        Self::Redirect308,
        Self::RedirectToHostname,
        Self::RepeatedCursor,
        Self::NoPagination,
        Self::InvalidHeaders,
        Self::HugeHeader,
        Self::TooManyHeaders,
        Self::NoStatusLine,
        Self::InterimResponses,
    ];
}

/// Size of a huge body, in bytes.
const HUGE: u64 = 10 * 1024 * 1024 * 1024;

async fn serve_fault(fault: Fault, mut connection: Connection, valid: Arc<Mutex<ValidResponse>>) {
    match fault {
        Fault::ResetUnread => return connection.reset_unread().await,
        // The connection stays open until the server is dropped.
        Fault::StallAfterAccept => return std::future::pending().await,
        _ => {}
    }
    while let Some(request) = connection.request().await {
        let valid = valid.lock().unwrap().clone();
        // All other faults are complete responses.
        let bytes = match fault {
            Fault::ResetBeforeResponse => return connection.reset(),
            Fault::CloseBeforeResponse => return,
            Fault::StallAfterRequest => return connection.stall().await,
            Fault::ResetInHead => {
                connection.write("HTTP/1.1 200 OK\r\nContent-").await;
                return connection.reset();
            }
            Fault::StallInHead => {
                connection.write("HTTP/1.1 200 OK\r\nContent-").await;
                return connection.stall().await;
            }
            Fault::ResetInBody => {
                connection.write(partial_response(&valid)).await;
                return connection.reset();
            }
            Fault::StallInBody => {
                connection.write(partial_response(&valid)).await;
                return connection.stall().await;
            }
            Fault::SlowBody => {
                connection.write(partial_response(&valid)).await;
                while connection.write(" ").await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                return;
            }
            Fault::IncompleteChunk => {
                let content_type = ("Content-Type", valid.content_type);
                let mut response = head("200 OK", &[content_type], "Transfer-Encoding: chunked\r\n");
                response.extend_from_slice(b"40\r\n{\"data\": [");
                connection.write(response).await;
                return;
            }
            Fault::LengthTooLong => {
                connection.write(partial_response(&valid)).await;
                return;
            }
            Fault::HugeWithLength | Fault::HugeChunked => return flood(fault, connection, &valid).await,
            fault => complete_response(fault, &request, &valid),
        };
        if !connection.write(bytes).await {
            return;
        }
    }
}

/// Returns the head and the first half of a response.
fn partial_response(valid: &ValidResponse) -> Vec<u8> {
    let length = format!("Content-Length: {HUGE}\r\n");
    let mut response = head("200 OK", &[("Content-Type", valid.content_type)], &length);
    response.extend_from_slice(&valid.body[..valid.body.len() / 2]);
    response
}

/// Writes a huge body until the client closes the connection.
async fn flood(fault: Fault, mut connection: Connection, valid: &ValidResponse) {
    let (length, part) = match fault {
        Fault::HugeChunked => {
            let part = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            ("Transfer-Encoding: chunked\r\n".to_owned(), part)
        }
        _ => (format!("Content-Length: {HUGE}\r\n"), vec![b' '; 0x10000]),
    };
    let mut written = 0;
    let mut open = connection.write(head("200 OK", &[("Content-Type", valid.content_type)], &length)).await;
    while open && written < HUGE {
        open = connection.write(&part).await;
        written += part.len() as u64;
    }
}

/// Returns a complete response. Error responses quote the token and the body of the request.
fn complete_response(fault: Fault, request: &Received, valid: &ValidResponse) -> Vec<u8> {
    let (token, body) = request.echo();
    let json = ("Content-Type", "application/json");
    let html = ("Content-Type", "text/html");
    let id = ("X-RqId", token.as_str());
    let page = format!("<html><body>Denied: {token} {body}</body></html>");
    let errors = || json!([{ "code": 4000010, "title": token, "detail": body }]);
    let only_errors = || json!({ "errors": errors(), "data": null }).to_string();
    let retry_after =
        |status, retry_after| response(status, &[json, id, ("Retry-After", retry_after)], only_errors());
    let error = |status| response(status, &[json, id], only_errors());
    let ok_json = |value: Value| response("200 OK", &[json, id], value.to_string());
    let redirect = |status, target: String| {
        let location = format!("{target}?from={}", request.method_and_path().replace(' ', "+"));
        response(status, &[json, id, ("Location", location.as_str())], only_errors())
    };
    let target = format!("http://{}/", valid.redirect_target);
    let ok = |body: &[u8]| response("200 OK", &[("Content-Type", valid.content_type)], body);
    // The valid response with other pagination.
    let paged = |pagination: Option<Value>| {
        let Ok(Value::Object(mut page)) = serde_json::from_slice(&valid.body) else { return ok(&valid.body) };
        page.remove("pagination");
        pagination.map(|pagination| page.insert("pagination".into(), pagination));
        ok(Value::Object(page).to_string().as_bytes())
    };
    match fault {
        Fault::InvalidJson => {
            response("200 OK", &[json, id], format!(r#"{{"data": [{{"{token}": {body} oh"#))
        }
        Fault::JsonArray => ok_json(json!([token, body])),
        Fault::JsonNumber => ok_json(json!(4711)),
        Fault::JsonString => ok_json(json!(format!("{token} {body}"))),
        Fault::JsonNull => ok_json(json!(null)),
        Fault::NumericData => ok_json(json!({ "data": 7, "quoted": [token, body] })),
        Fault::EmptyObject => ok_json(json!({})),
        Fault::HtmlWith200 => response("200 OK", &[html, id], page),
        Fault::HtmlWith429 => response("429 Too Many Requests", &[html, id], page),
        Fault::RetryAfterPastDate => retry_after("429 Too Many Requests", "Sat, 21 Nov 2020 12:00:00 GMT"),
        Fault::RetryAfterZero => retry_after("429 Too Many Requests", "0"),
        Fault::RetryAfterYears => retry_after("429 Too Many Requests", "99999999999"),
        Fault::RetryAfterYearsDate => retry_after("429 Too Many Requests", "Fri, 01 Jan 2100 00:00:00 GMT"),
        Fault::RetryAfterEcho => retry_after("429 Too Many Requests", &token),
        Fault::Unavailable => error("503 Service Unavailable"),
        Fault::UnavailableRetryAfter => retry_after("503 Service Unavailable", "1"),
        Fault::BadGateway => error("502 Bad Gateway"),
        Fault::GatewayTimeout => error("504 Gateway Timeout"),
        Fault::InternalServerError => error("500 Internal Server Error"),
        Fault::Unauthorized => error("401 Unauthorized"),
        Fault::ErrorsWith200 => error("200 OK"),
        Fault::EmptyBody => ok(b""),
        Fault::NoContent => head("204 No Content", &[], ""),
        Fault::LengthTooShort => {
            let length = format!("Content-Length: {}\r\n", valid.body.len() / 2);
            [head("200 OK", &[("Content-Type", valid.content_type)], &length), valid.body.clone()].concat()
        }
        Fault::InvalidGzip => response(
            "200 OK",
            &[("Content-Type", valid.content_type), ("Content-Encoding", "gzip")],
            &valid.body,
        ),
        Fault::Redirect301 => redirect("301 Moved Permanently", target),
        Fault::Redirect302 => redirect("302 Found", target),
        Fault::Redirect303 => redirect("303 See Other", target),
        Fault::Redirect307 => redirect("307 Temporary Redirect", target),
        Fault::Redirect308 => redirect("308 Permanent Redirect", target),
        Fault::RedirectToHostname => {
            redirect("307 Temporary Redirect", format!("http://localhost:{}/", valid.redirect_target.port()))
        }
        Fault::RepeatedCursor => paged(Some(json!({ "nextCursor": "again", "totalItems": 9 }))),
        Fault::NoPagination => paged(None),
        Fault::InvalidHeaders => {
            b"HTTP/1.1 200 OK\r\n: \0\x01\xff\r\nnot a header\r\nContent-Length: 2\r\n\r\n{}".to_vec()
        }
        Fault::HugeHeader => {
            let long = "x".repeat(1024 * 1024);
            response("200 OK", &[json, ("X-Long", &long)], &valid.body)
        }
        Fault::TooManyHeaders => response("200 OK", &[("X-Many", "1"); 5000], &valid.body),
        Fault::NoStatusLine => format!("SSH-2.0-OpenSSH_9.9 {token}\r\n\r\n").into_bytes(),
        Fault::InterimResponses => {
            let interim =
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n";
            [interim.as_bytes(), &ok(&valid.body)].concat()
        }
        other => panic!("{other:?} is not a complete response"),
    }
}
