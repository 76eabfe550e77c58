//! Files, and addresses elsewhere: nothing is held in memory, nothing is left behind, and the token stays at home.

use std::time::Duration;

use sentinelone::raw::agents::DOWNLOAD;
use sentinelone::raw::runtime::Binary;
use sentinelone::{Client, ErrorKind, Request, Retry, Sent};

use crate::TOKEN;
use crate::clock::Virtual;
use crate::laws::{act, builder, page, read};
use crate::matrix::cases;
use crate::server::{Server, answer, head};

const BYTES: [(&str, &str); 1] = [("Content-Type", "application/octet-stream")];

fn client(server: &Server) -> Client {
    builder(server, &Virtual::skipping()).retry(Retry::off()).max_answer_size(1024).build().unwrap()
}

fn request() -> Request<Binary> {
    let case = cases().into_iter().find(|case| case.operation == &DOWNLOAD).unwrap();
    case.request.answering()
}

/// Three megabytes that are not all the same.
fn file() -> Vec<u8> {
    (0..3 * 1024 * 1024_u32).map(|at| (at ^ (at >> 11)) as u8).collect()
}

#[tokio::test]
async fn a_file_larger_than_any_answer_flows() {
    let chunked = {
        let mut said = head("200 OK", &BYTES, "Transfer-Encoding: chunked\r\n");
        for part in file().chunks(0x8000) {
            said.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
            said.extend_from_slice(part);
            said.extend_from_slice(b"\r\n");
        }
        said.extend_from_slice(b"0\r\n\r\n");
        said
    };
    for (says, length) in [(answer("200 OK", &BYTES, file()), Some(3 * 1024 * 1024)), (chunked, None)] {
        let server = Server::scripted([says]).await;
        let client = client(&server);
        assert_eq!(client.send(&request()).await.unwrap_err().kind(), ErrorKind::TooLarge);
        let folder = tempfile::tempdir().unwrap();
        let download = client.download(&request()).await.unwrap();
        assert_eq!(download.length(), length);
        let saved = download.save(folder.path(), "logs.zip", |_| {}).await.unwrap();
        assert_eq!(saved.bytes, 3 * 1024 * 1024);
        assert!(std::fs::read(saved.path).unwrap() == file(), "the bytes are others");
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_leaves_nothing() {
    let begun = |length: &str| [head("200 OK", &BYTES, length), file()].concat();
    // Of a chunk of four megabytes there are three.
    let chunk =
        [head("200 OK", &BYTES, "Transfer-Encoding: chunked\r\n"), b"400000\r\n".to_vec(), file()].concat();
    for (says, resets, stalls, kind) in [
        (begun("Content-Length: 4000000\r\n"), false, false, ErrorKind::Broken),
        (begun("Content-Length: 4000000\r\n"), true, false, ErrorKind::Broken),
        (begun("Content-Length: 4000000\r\n"), false, true, ErrorKind::Timeout),
        (chunk, false, false, ErrorKind::Broken),
    ] {
        let server = Server::start(move |mut connection| {
            let says = says.clone();
            async move {
                connection.request().await.unwrap();
                connection.write(&says).await;
                match (resets, stalls) {
                    (true, _) => connection.reset_later().await,
                    (_, true) => connection.stall().await,
                    _ => {}
                }
            }
        })
        .await;
        let clock = Virtual::skipping();
        let client = builder(&server, &clock).read_timeout(Duration::from_millis(300)).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let download = client.download(&request()).await.unwrap();
        let error = download.save(folder.path(), "logs.zip", |_| {}).await.unwrap_err();
        assert_eq!((error.kind(), error.was_sent()), (kind, Sent::Maybe), "{error}");
        assert_eq!(error.operation(), Some("agents_download"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something was left behind");
        assert_eq!(server.seen().len(), 1, "what has begun is not asked for again");
    }
}

/// The raw bytes of what goes elsewhere hold nothing of the token; those to the console do.
#[tokio::test]
async fn the_token_goes_to_the_console_and_nowhere_else() {
    let server = Server::scripted([answer("200 OK", &BYTES, "bytes")]).await;
    let client = client(&server);
    let address = format!("{}/results/1?signature=abc", server.url());
    drop(client.download(&request()).await.unwrap());
    drop(client.download_from(&DOWNLOAD, &address).await.unwrap());
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some(format!("ApiToken {TOKEN}").as_str()));
    assert!(seen[1].head.starts_with("GET /results/1?signature=abc HTTP/1.1\r\n"), "{}", seen[1].head);
    assert_eq!(seen[1].header("authorization"), None);
    assert!(!seen[1].head.contains(TOKEN) && seen[1].body.is_empty(), "{}", seen[1].head);
}

/// Whatever leads elsewhere is not followed, neither with the token nor without.
#[tokio::test]
async fn nothing_that_leads_elsewhere_is_followed() {
    let elsewhere = Server::scripted([page()]).await;
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let port = elsewhere.address().port();
        for place in [elsewhere.url(), format!("http://localhost:{port}/x"), format!("//127.0.0.1:{port}/y")]
        {
            let redirect =
                answer(status, &[("Location", &place), ("Refresh", &format!("0; url={place}"))], "");
            let server = Server::scripted([redirect]).await;
            let client = client(&server);
            let address = format!("{}/results/1", server.url());
            for error in [
                read(&client).await.unwrap_err(),
                act(&client).await.unwrap_err(),
                client.download(&request()).await.unwrap_err(),
                client.download_from(&DOWNLOAD, &address).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Api);
                assert!(error.status().unwrap().is_redirection() && !error.may_have_acted(), "{error}");
                assert!(error.advice().contains("redirects"), "{}", error.advice());
            }
            assert_eq!(server.seen().len(), 4);
        }
    }
    // Plain http is for the console's own address; who gave this one is not asked.
    let server = Server::scripted([page()]).await;
    let error = client(&server).download_from(&DOWNLOAD, &elsewhere.url()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ended);
    assert_eq!((elsewhere.connections(), server.connections()), (0, 0));
}
