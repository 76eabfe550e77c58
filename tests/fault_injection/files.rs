//! Downloads and redirects: files are streamed, incomplete files are removed, and only the console gets the token.

use std::time::Duration;

use sentinelone::raw::agents::DOWNLOAD;
use sentinelone::raw::runtime::Binary;
use sentinelone::remote_scripts::ScriptDownloadLink;
use sentinelone::{Client, Delivery, ErrorKind, Request, RetryPolicy};

use crate::TOKEN;
use crate::clock::VirtualClock;
use crate::matrix::cases;
use crate::retry::{builder, empty_page, send_action, send_read};
use crate::server::{Server, head, response};

/// Returns a link to script results, as the console returns it.
pub(crate) fn link_to(url: &str) -> ScriptDownloadLink {
    let mut link = ScriptDownloadLink::default();
    link.download_url = Some(url.to_owned());
    link
}

const BYTES: [(&str, &str); 1] = [("Content-Type", "application/octet-stream")];

fn client(server: &Server) -> Client {
    builder(server, &VirtualClock::auto())
        .retry_policy(RetryPolicy::disabled())
        .max_response_size(1024)
        .build()
        .unwrap()
}

fn request() -> Request<Binary> {
    let case = cases().into_iter().find(|case| case.operation == &DOWNLOAD).unwrap();
    case.request.with_response_type()
}

/// Returns a zip archive of 3 MiB with varying bytes.
fn file_content() -> Vec<u8> {
    const SIZE: u32 = 3 * 1024 * 1024;
    let [entry, directory, end] = [30, 46, 22];
    let mut zip = [b"PK\x03\x04".as_slice(), &[0; 26]].concat();
    zip.extend((0..SIZE - entry - directory - end).map(|at| (at ^ (at >> 11)) as u8));
    zip.extend([b"PK\x01\x02".as_slice(), &[0; 42], b"PK\x05\x06", &[0; 8]].concat());
    zip.extend([directory, SIZE - directory - end].map(u32::to_le_bytes).concat());
    zip.extend([0; 2]);
    zip
}

#[tokio::test]
async fn download_exceeding_max_response_size_succeeds() {
    let chunked = {
        let mut bytes = head("200 OK", &BYTES, "Transfer-Encoding: chunked\r\n");
        for part in file_content().chunks(0x8000) {
            bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        bytes
    };
    for (bytes, length) in
        [(response("200 OK", &BYTES, file_content()), Some(3 * 1024 * 1024)), (chunked, None)]
    {
        let server = Server::scripted([bytes]).await;
        let client = client(&server);
        assert_eq!(client.send(&request()).await.unwrap_err().kind(), ErrorKind::ResponseTooLarge);
        let dir = tempfile::tempdir().unwrap();
        let download = client.download(&request()).await.unwrap();
        assert_eq!(download.length(), length);
        let saved = download.save(dir.path(), "logs.zip", |_| {}).await.unwrap();
        assert_eq!(saved.bytes, 3 * 1024 * 1024);
        assert!(std::fs::read(saved.path).unwrap() == file_content(), "different content");
    }
}

#[tokio::test]
async fn interrupted_download_leaves_no_file() {
    let truncated = |length: &str| [head("200 OK", &BYTES, length), file_content()].concat();
    // The chunk announces 4 MiB and has 3 MiB.
    let chunk =
        [head("200 OK", &BYTES, "Transfer-Encoding: chunked\r\n"), b"400000\r\n".to_vec(), file_content()]
            .concat();
    for (bytes, resets, stalls, kind) in [
        (truncated("Content-Length: 4000000\r\n"), false, false, ErrorKind::ConnectionLost),
        (truncated("Content-Length: 4000000\r\n"), true, false, ErrorKind::ConnectionLost),
        (truncated("Content-Length: 4000000\r\n"), false, true, ErrorKind::Timeout),
        (chunk, false, false, ErrorKind::ConnectionLost),
    ] {
        let server = Server::start(move |mut connection| {
            let bytes = bytes.clone();
            async move {
                connection.request().await.unwrap();
                connection.write(&bytes).await;
                match (resets, stalls) {
                    (true, _) => connection.reset_later().await,
                    (_, true) => connection.stall().await,
                    _ => {}
                }
            }
        })
        .await;
        let clock = VirtualClock::auto();
        let client = builder(&server, &clock).read_timeout(Duration::from_millis(300)).build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let download = client.download(&request()).await.unwrap();
        let error = download.save(dir.path(), "logs.zip", |_| {}).await.unwrap_err();
        assert_eq!((error.kind(), error.delivery()), (kind, Delivery::Unknown), "{error}");
        assert_eq!(error.operation(), Some("agents_download"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "a file was left");
        assert_eq!(server.requests().len(), 1, "an interrupted body is not retried");
    }
}

/// A request to another host does not contain the token; a request to the console does.
#[tokio::test]
async fn download_link_sends_no_token() {
    let server = Server::scripted([response("200 OK", &BYTES, "bytes")]).await;
    let client = client(&server);
    let url = format!("{}/results/1?signature=abc", server.url());
    drop(client.download(&request()).await.unwrap());
    drop(client.download_link(&link_to(&url)).await.unwrap());
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), Some(format!("ApiToken {TOKEN}").as_str()));
    assert!(
        requests[1].head.starts_with("GET /results/1?signature=abc HTTP/1.1\r\n"),
        "{}",
        requests[1].head
    );
    assert_eq!(requests[1].header("authorization"), None);
    assert!(!requests[1].head.contains(TOKEN) && requests[1].body.is_empty(), "{}", requests[1].head);
}

/// Redirects are not followed, with or without the token.
#[tokio::test]
async fn redirects_are_not_followed() {
    let other_server = Server::scripted([empty_page()]).await;
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let port = other_server.address().port();
        for target in
            [other_server.url(), format!("http://localhost:{port}/x"), format!("//127.0.0.1:{port}/y")]
        {
            let redirect =
                response(status, &[("Location", &target), ("Refresh", &format!("0; url={target}"))], "");
            let server = Server::scripted([redirect]).await;
            let client = client(&server);
            let url = format!("{}/results/1", server.url());
            for error in [
                send_read(&client).await.unwrap_err(),
                send_action(&client).await.unwrap_err(),
                client.download(&request()).await.unwrap_err(),
                client.download_link(&link_to(&url)).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Api);
                assert!(
                    error.status().unwrap().is_redirection() && !error.may_have_taken_effect(),
                    "{error}"
                );
                assert!(
                    error.help().unwrap_or_default().contains("redirects"),
                    "{}",
                    error.help().unwrap_or_default()
                );
            }
            assert_eq!(server.requests().len(), 4);
        }
    }
    // Plain HTTP is allowed only for the console URL.
    let server = Server::scripted([empty_page()]).await;
    let error = client(&server).download_link(&link_to(&other_server.url())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoResult);
    assert_eq!((other_server.connections(), server.connections()), (0, 0));
}
