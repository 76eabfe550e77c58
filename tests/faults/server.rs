//! A console that misbehaves as told, on raw sockets: every byte is written by hand.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A request as it came over the wire.
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

    /// Method and path, without the query.
    pub(crate) fn line(&self) -> String {
        let line = self.head.lines().next().unwrap_or_default();
        line.split([' ', '?']).take(2).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a careless proxy quotes of a request: the token and the body.
    fn echo(&self) -> (String, String) {
        let token = self.header("authorization").unwrap_or_default().to_owned();
        (token, String::from_utf8_lossy(&self.body).into_owned())
    }
}

/// What arrived.
#[derive(Debug, Default)]
pub(crate) struct Log {
    connections: AtomicUsize,
    seen: Mutex<Vec<Received>>,
}

/// A connection that a client made.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    log: Arc<Log>,
}

impl Connection {
    /// Reads a request to its end; `None` when the client is gone.
    pub(crate) async fn request(&mut self) -> Option<Received> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let mut received = Received { head, body: Vec::new() };
        let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.buffer.len() < end + length {
            self.more().await?;
        }
        received.body = self.buffer[end..end + length].to_vec();
        self.buffer.drain(..end + length);
        self.log.seen.lock().unwrap().push(received.clone());
        Some(received)
    }

    async fn more(&mut self) -> Option<()> {
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(1..) => Some(()),
            _ => None,
        }
    }

    /// Writes; tells whether the client still takes it.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Ends it the hard way.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Ends it the hard way, when what was said has arrived or not.
    pub(crate) async fn reset_later(self) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.reset();
    }

    /// Waits for something to arrive, and ends it the hard way without having read it.
    pub(crate) async fn reset_unread(self) {
        let _ = self.stream.peek(&mut [0]).await;
        self.reset();
    }

    /// Says nothing more; over when the client is gone.
    pub(crate) async fn stall(mut self) {
        while self.more().await.is_some() {}
    }
}

/// A listener; what it does with a connection is said by a function.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    log: Arc<Log>,
    accepts: Option<JoinHandle<()>>,
    /// Keeps the port while nobody listens on it, or fills its queue.
    _kept: Vec<Kept>,
}

#[derive(Debug)]
#[expect(dead_code, reason = "they are held, and that is all")]
enum Kept {
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

/// A socket on loopback that nobody listens on.
pub(crate) fn bound(address: &str) -> TcpSocket {
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
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::default(), handle)
    }

    /// Serves until it is dropped, and every connection with it.
    pub(crate) fn on<F, Fut>(listener: TcpListener, log: Arc<Log>, handle: F) -> Self
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
        Self { address, log, accepts: Some(accepts), _kept: Vec::new() }
    }

    /// A console that misbehaves in one way.
    pub(crate) async fn with(fault: Fault, good: Arc<Mutex<Good>>) -> Self {
        match fault {
            Fault::Refuses => {
                let socket = bound("127.0.0.1:0");
                let address = socket.local_addr().unwrap();
                Self { address, log: Arc::default(), accepts: None, _kept: vec![Kept::Socket(socket)] }
            }
            #[cfg(target_os = "linux")]
            Fault::NeverConnects => {
                let listener = bound("127.0.0.1:0").listen(1).unwrap();
                let address = listener.local_addr().unwrap();
                let mut kept = vec![Kept::Listener(listener)];
                // The queue is full when a connection does not come about.
                let wait = Duration::from_millis(50);
                while let Ok(stream) = tokio::time::timeout(wait, TcpStream::connect(address)).await {
                    kept.push(Kept::Stream(stream.unwrap()));
                }
                Self { address, log: Arc::default(), accepts: None, _kept: kept }
            }
            fault => Self::start(move |connection| misbehave(fault, connection, Arc::clone(&good))).await,
        }
    }

    /// Gives one answer after the other, and the last one again and again.
    pub(crate) async fn scripted(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let answers: Vec<Vec<u8>> = answers.into_iter().collect();
        let script = Arc::new((answers, AtomicUsize::new(0)));
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

    /// Closes the port, and breaks the connections.
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

    pub(crate) fn seen(&self) -> Vec<Received> {
        self.log.seen.lock().unwrap().clone()
    }
}

/// A whole answer, with a length.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut answer = head(status, headers, &format!("Content-Length: {}\r\n", body.len()));
    answer.extend_from_slice(body);
    answer
}

/// The head of an answer; `length` is the line about the length of what follows.
pub(crate) fn head(status: &str, headers: &[(&str, &str)], length: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\n{headers}{length}\r\n").into_bytes()
}

/// What a console answers when all is well.
#[derive(Clone, Debug)]
pub(crate) struct Good {
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
    /// Where redirects lead.
    pub(crate) elsewhere: SocketAddr,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody listens.
    Refuses,
    /// The handshake does not come about.
    #[cfg(target_os = "linux")]
    NeverConnects,
    /// The connection is reset with the request unread.
    ResetsUnread,
    ResetsBeforeTheAnswer,
    /// The connection is closed in good order, without a byte.
    ClosesBeforeTheAnswer,
    ResetsInTheHead,
    ResetsInTheBody,
    /// Nothing is read.
    StallsAfterAccept,
    StallsAfterTheRequest,
    StallsInTheHead,
    StallsInTheBody,
    /// A byte now and then, so that the connection never stands still.
    Drips,
    HalfAChunk,
    GarbageJson,
    JsonArray,
    JsonNumber,
    JsonText,
    JsonNull,
    DataIsANumber,
    EmptyObject,
    HtmlWith200,
    HtmlWith429,
    RetryAfterPastDate,
    RetryAfterZero,
    RetryAfterYears,
    RetryAfterYearsDate,
    /// A `Retry-After` that is no time, but the token.
    RetryAfterEcho,
    Unavailable,
    UnavailableRetryAfter,
    BadGateway,
    GatewayTimeout,
    Fails,
    Unauthorized,
    ErrorsWith200,
    EmptyBody,
    NoContent,
    /// More is announced than comes.
    LengthTooLong,
    /// More comes than is announced.
    LengthTooShort,
    GzipThatIsNone,
    /// 10 GB, announced.
    HugeWithLength,
    /// 10 GB, in chunks without an end.
    HugeInChunks,
    Redirects301,
    Redirects302,
    Redirects303,
    Redirects307,
    Redirects308,
    /// A redirect to a host of another name.
    RedirectsToAName,
    RepeatedCursor,
    NoPagination,
    GarbageHeaders,
    HugeHeader,
    TooManyHeaders,
    NoStatusLine,
    /// Interim answers before the real one, which are none to mind.
    InformsFirst,
}

impl Fault {
    pub(crate) const ALL: &[Self] = &[
        Self::Refuses,
        #[cfg(target_os = "linux")]
        Self::NeverConnects,
        Self::ResetsUnread,
        Self::ResetsBeforeTheAnswer,
        Self::ClosesBeforeTheAnswer,
        Self::ResetsInTheHead,
        Self::ResetsInTheBody,
        Self::StallsAfterAccept,
        Self::StallsAfterTheRequest,
        Self::StallsInTheHead,
        Self::StallsInTheBody,
        Self::Drips,
        Self::HalfAChunk,
        Self::GarbageJson,
        Self::JsonArray,
        Self::JsonNumber,
        Self::JsonText,
        Self::JsonNull,
        Self::DataIsANumber,
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
        Self::Fails,
        Self::Unauthorized,
        Self::ErrorsWith200,
        Self::EmptyBody,
        Self::NoContent,
        Self::LengthTooLong,
        Self::LengthTooShort,
        Self::GzipThatIsNone,
        Self::HugeWithLength,
        Self::HugeInChunks,
        Self::Redirects301,
        Self::Redirects302,
        Self::Redirects303,
        Self::Redirects307,
        Self::Redirects308,
        Self::RedirectsToAName,
        Self::RepeatedCursor,
        Self::NoPagination,
        Self::GarbageHeaders,
        Self::HugeHeader,
        Self::TooManyHeaders,
        Self::NoStatusLine,
        Self::InformsFirst,
    ];
}

/// How much a body without an end has in all.
const HUGE: u64 = 10 * 1024 * 1024 * 1024;

async fn misbehave(fault: Fault, mut connection: Connection, good: Arc<Mutex<Good>>) {
    match fault {
        Fault::ResetsUnread => return connection.reset_unread().await,
        // The connection is held, and ends with the server.
        Fault::StallsAfterAccept => return std::future::pending().await,
        _ => {}
    }
    while let Some(request) = connection.request().await {
        let good = good.lock().unwrap().clone();
        // The others say all that they have to say in one piece.
        let said = match fault {
            Fault::ResetsBeforeTheAnswer => return connection.reset(),
            Fault::ClosesBeforeTheAnswer => return,
            Fault::StallsAfterTheRequest => return connection.stall().await,
            Fault::ResetsInTheHead => {
                connection.write("HTTP/1.1 200 OK\r\nContent-").await;
                return connection.reset();
            }
            Fault::StallsInTheHead => {
                connection.write("HTTP/1.1 200 OK\r\nContent-").await;
                return connection.stall().await;
            }
            Fault::ResetsInTheBody => {
                connection.write(begun(&good)).await;
                return connection.reset();
            }
            Fault::StallsInTheBody => {
                connection.write(begun(&good)).await;
                return connection.stall().await;
            }
            Fault::Drips => {
                connection.write(begun(&good)).await;
                while connection.write(" ").await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                return;
            }
            Fault::HalfAChunk => {
                let mut said =
                    head("200 OK", &[("Content-Type", good.kind)], "Transfer-Encoding: chunked\r\n");
                said.extend_from_slice(b"40\r\n{\"data\": [");
                connection.write(said).await;
                return;
            }
            Fault::LengthTooLong => {
                connection.write(begun(&good)).await;
                return;
            }
            Fault::HugeWithLength | Fault::HugeInChunks => return flood(fault, connection, &good).await,
            fault => in_one_piece(fault, &request, &good),
        };
        if !connection.write(said).await {
            return;
        }
    }
}

/// The head of an answer and the beginning of its body.
fn begun(good: &Good) -> Vec<u8> {
    let length = format!("Content-Length: {HUGE}\r\n");
    let mut begun = head("200 OK", &[("Content-Type", good.kind)], &length);
    begun.extend_from_slice(&good.body[..good.body.len() / 2]);
    begun
}

/// Writes until the client has enough.
async fn flood(fault: Fault, mut connection: Connection, good: &Good) {
    let (length, part) = match fault {
        Fault::HugeInChunks => {
            let part = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            ("Transfer-Encoding: chunked\r\n".to_owned(), part)
        }
        _ => (format!("Content-Length: {HUGE}\r\n"), vec![b' '; 0x10000]),
    };
    let mut written = 0;
    let mut open = connection.write(head("200 OK", &[("Content-Type", good.kind)], &length)).await;
    while open && written < HUGE {
        open = connection.write(&part).await;
        written += part.len() as u64;
    }
}

/// An answer that is written at once. Whatever is an error quotes the token and the body of the request.
fn in_one_piece(fault: Fault, request: &Received, good: &Good) -> Vec<u8> {
    let (token, body) = request.echo();
    let json = ("Content-Type", "application/json");
    let html = ("Content-Type", "text/html");
    let id = ("X-RqId", token.as_str());
    let page = format!("<html><body>Denied: {token} {body}</body></html>");
    let errors = || json!([{ "code": 4000010, "title": token, "detail": body }]);
    let only_errors = || json!({ "errors": errors(), "data": null }).to_string();
    let after = |status, after| answer(status, &[json, id, ("Retry-After", after)], only_errors());
    let fails = |status| answer(status, &[json, id], only_errors());
    let fine = |value: Value| answer("200 OK", &[json, id], value.to_string());
    let redirect = |status, place: String| {
        let location = format!("{place}?from={}", request.line().replace(' ', "+"));
        answer(status, &[json, id, ("Location", location.as_str())], only_errors())
    };
    let port = format!("http://{}/", good.elsewhere);
    let well = |body: &[u8]| answer("200 OK", &[("Content-Type", good.kind)], body);
    // The good answer with another way on.
    let paged = |pagination: Option<Value>| {
        let Ok(Value::Object(mut page)) = serde_json::from_slice(&good.body) else { return well(&good.body) };
        page.remove("pagination");
        pagination.map(|pagination| page.insert("pagination".into(), pagination));
        well(Value::Object(page).to_string().as_bytes())
    };
    match fault {
        Fault::GarbageJson => answer("200 OK", &[json, id], format!(r#"{{"data": [{{"{token}": {body} oh"#)),
        Fault::JsonArray => fine(json!([token, body])),
        Fault::JsonNumber => fine(json!(4711)),
        Fault::JsonText => fine(json!(format!("{token} {body}"))),
        Fault::JsonNull => fine(json!(null)),
        Fault::DataIsANumber => fine(json!({ "data": 7, "quoted": [token, body] })),
        Fault::EmptyObject => fine(json!({})),
        Fault::HtmlWith200 => answer("200 OK", &[html, id], page),
        Fault::HtmlWith429 => answer("429 Too Many Requests", &[html, id], page),
        Fault::RetryAfterPastDate => after("429 Too Many Requests", "Sat, 21 Nov 2020 12:00:00 GMT"),
        Fault::RetryAfterZero => after("429 Too Many Requests", "0"),
        Fault::RetryAfterYears => after("429 Too Many Requests", "99999999999"),
        Fault::RetryAfterYearsDate => after("429 Too Many Requests", "Fri, 01 Jan 2100 00:00:00 GMT"),
        Fault::RetryAfterEcho => after("429 Too Many Requests", &token),
        Fault::Unavailable => fails("503 Service Unavailable"),
        Fault::UnavailableRetryAfter => after("503 Service Unavailable", "1"),
        Fault::BadGateway => fails("502 Bad Gateway"),
        Fault::GatewayTimeout => fails("504 Gateway Timeout"),
        Fault::Fails => fails("500 Internal Server Error"),
        Fault::Unauthorized => fails("401 Unauthorized"),
        Fault::ErrorsWith200 => fails("200 OK"),
        Fault::EmptyBody => well(b""),
        Fault::NoContent => head("204 No Content", &[], ""),
        Fault::LengthTooShort => {
            let length = format!("Content-Length: {}\r\n", good.body.len() / 2);
            [head("200 OK", &[("Content-Type", good.kind)], &length), good.body.clone()].concat()
        }
        Fault::GzipThatIsNone => {
            answer("200 OK", &[("Content-Type", good.kind), ("Content-Encoding", "gzip")], &good.body)
        }
        Fault::Redirects301 => redirect("301 Moved Permanently", port),
        Fault::Redirects302 => redirect("302 Found", port),
        Fault::Redirects303 => redirect("303 See Other", port),
        Fault::Redirects307 => redirect("307 Temporary Redirect", port),
        Fault::Redirects308 => redirect("308 Permanent Redirect", port),
        Fault::RedirectsToAName => {
            redirect("307 Temporary Redirect", format!("http://localhost:{}/", good.elsewhere.port()))
        }
        Fault::RepeatedCursor => paged(Some(json!({ "nextCursor": "again", "totalItems": 9 }))),
        Fault::NoPagination => paged(None),
        Fault::GarbageHeaders => {
            b"HTTP/1.1 200 OK\r\n: \0\x01\xff\r\nno header at all\r\nContent-Length: 2\r\n\r\n{}".to_vec()
        }
        Fault::HugeHeader => {
            let long = "x".repeat(1024 * 1024);
            answer("200 OK", &[json, ("X-Long", &long)], &good.body)
        }
        Fault::TooManyHeaders => answer("200 OK", &[("X-Many", "1"); 5000], &good.body),
        Fault::NoStatusLine => format!("SSH-2.0-OpenSSH_9.9 {token}\r\n\r\n").into_bytes(),
        Fault::InformsFirst => {
            let interim =
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n";
            [interim.as_bytes(), &well(&good.body)].concat()
        }
        other => panic!("{other:?} is not said in one piece"),
    }
}
