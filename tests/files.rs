//! Files: downloads to disk, and archives that must not do harm.

#![cfg(feature = "unzip")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use secrecy::SecretString;
use sentinelone::files::{Download, Limits, Saved, unpack};
use sentinelone::{ApiToken, Client, Error, ErrorKind, Retry, raw};
use tempfile::TempDir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};
use zip::unstable::write::FileOptionsExt;
use zip::write::{FileOptions, SimpleFileOptions};
use zip::{AesMode, ZipWriter};

const PASSWORD: &str = "Correct-Horse-1";

fn old(password: &str) -> FileOptions<'_, 'static, ()> {
    SimpleFileOptions::default().with_deprecated_encryption(password.as_bytes()).unwrap()
}

fn aes(password: &str) -> FileOptions<'_, 'static, ()> {
    SimpleFileOptions::default().with_aes_encryption(AesMode::Aes256, password)
}

fn archive(entries: &[(&str, &[u8])], options: FileOptions<'_, 'static, ()>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default()).unwrap();
            continue;
        }
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Unpacks into the folder `out` of a new place.
fn unpacked(zip: &[u8], limits: Limits) -> (TempDir, Result<Vec<Saved>, Error>) {
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("it.zip"), zip).unwrap();
    let password = SecretString::from(PASSWORD);
    let saved = unpack(&place.path().join("it.zip"), &password, &place.path().join("out"), limits);
    (place, saved)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Nothing is left behind, inside the place or beside it.
fn refused(zip: &[u8], limits: Limits, why: &str) {
    let (place, result) = unpacked(zip, limits);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Archive, "{error}");
    assert!(error.to_string().contains(why), "{error}");
    assert_eq!(names(place.path()), ["it.zip"]);
}

#[test]
fn both_kinds_of_protection_are_opened() {
    let entries: [(&str, &[u8]); 4] =
        [("manifest.json", b"{}"), ("C/Users/me/a.txt", b"one"), ("empty/", b""), ("b", b"")];
    for options in [old(PASSWORD), aes(PASSWORD), SimpleFileOptions::default()] {
        let (place, saved) = unpacked(&archive(&entries, options), Limits::default());
        let saved = saved.unwrap();
        let found: Vec<_> = saved.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(found, [("manifest.json", 2), ("C/Users/me/a.txt", 3), ("b", 0)]);
        assert_eq!(fs::read(&saved[1].path).unwrap(), b"one");
        assert!(saved[1].path.starts_with(place.path().join("out")));
        assert_eq!(names(place.path()), ["it.zip", "out"]);
        assert_eq!(names(&place.path().join("out")), ["C", "b", "manifest.json"], "no folder without a file");
    }
}

#[test]
fn another_password_opens_nothing() {
    let entries: [(&str, &[u8]); 2] = [("a.txt", b"one"), ("b.txt", b"two")];
    for options in [old("Another-Horse-2"), aes("Another-Horse-2")] {
        // The old protection lets one wrong password in 256 through to the checksum; both end the same.
        refused(&archive(&entries, options), Limits::default(), "check the password");
    }
}

#[test]
fn what_is_no_archive_is_none() {
    refused(b"<html>an error page</html>", Limits::default(), "no zip file");
    refused(b"", Limits::default(), "no zip file");
    let whole = archive(&[("a.txt", b"one")], old(PASSWORD));
    refused(&whole[..whole.len() - 30], Limits::default(), "no zip file");
}

#[test]
fn no_entry_leaves_the_folder() {
    let names = [
        "../x",
        "a/../../x",
        "a/../x",
        "/x",
        "//host/share/x",
        "..\\x",
        "a\\..\\..\\x",
        "\\x",
        "\\\\host\\share\\x",
        "..",
        "./..",
    ];
    for name in names {
        for options in [old(PASSWORD), aes(PASSWORD)] {
            // What came before it is not left either.
            refused(
                &archive(&[("fine", b"one"), (name, b"two")], options),
                Limits::default(),
                "leaves the folder",
            );
        }
    }
}

#[test]
fn a_drive_is_a_folder_like_any_other() {
    let (place, saved) =
        unpacked(&archive(&[("C:\\Users\\a.txt", b"one")], old(PASSWORD)), Limits::default());
    let saved = saved.unwrap();
    assert_eq!(saved[0].path, place.path().join("out/C_/Users/a.txt"));
    assert_eq!(saved[0].name, "C:\\Users\\a.txt");
}

#[test]
fn links_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("passwords", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    refused(&zip.finish().unwrap().into_inner(), Limits::default(), "is a link");
}

#[test]
fn no_more_is_written_than_allowed() {
    let zeros = vec![0; 100_000];
    let bomb = archive(&[("a", &zeros), ("b", &zeros)], old(PASSWORD));
    let limits = |bytes, entries| Limits { bytes, entries, ..Limits::default() };
    assert!(bomb.len() < 2_000);
    refused(&bomb, limits(99_999, 9), "more than 99999 bytes");
    refused(&bomb, limits(199_999, 9), "more than 199999 bytes");
    refused(&bomb, limits(1 << 20, 1), "2 entries");
    let (_place, saved) = unpacked(&bomb, limits(200_000, 2));
    assert_eq!(saved.unwrap().len(), 2);
}

#[test]
fn folders_are_not_made_without_end() {
    let deep = format!("{}x", "d/".repeat(64));
    refused(&archive(&[(&deep, b"one")], old(PASSWORD)), Limits::default(), "64 folders deep");
    let folders: String = "d/".repeat(60);
    let (place, saved) = unpacked(&archive(&[(&folders, b""), ("x", b"")], old(PASSWORD)), Limits::default());
    assert_eq!(saved.unwrap().len(), 1);
    assert_eq!(names(&place.path().join("out")), ["x"]);
}

#[test]
fn names_do_no_harm_here() {
    let entries: [(&str, &[u8]); 4] =
        [("a\u{1b}[2J\u{202e}gpj.exe", b""), ("NUL.txt", b""), ("dots..", b""), (".. /y", b"")];
    let (place, saved) = unpacked(&archive(&entries, old(PASSWORD)), Limits::default());
    assert_eq!(saved.unwrap()[0].name, entries[0].0, "what it is called there is not changed");
    assert_eq!(names(&place.path().join("out")), ["_NUL.txt", "___", "a_[2J_gpj.exe", "dots__"]);
    let one = [("C:/x", b"1".as_slice()), ("C_/x", b"2")];
    refused(&archive(&one, old(PASSWORD)), Limits::default(), "the same name as another");
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let place = TempDir::new().unwrap();
    let zip = place.path().join("it.zip");
    fs::write(&zip, archive(&[("a.txt", b"new")], old(PASSWORD))).unwrap();
    let out = place.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("a.txt"), "old").unwrap();
    let error = unpack(&zip, &SecretString::from(PASSWORD), &out, Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert_eq!(fs::read(out.join("a.txt")).unwrap(), b"old");
    assert_eq!(names(place.path()), ["it.zip", "out"]);
}

async fn try_download(url: &str, timeout: Duration) -> Result<Download, Error> {
    let client = Client::builder(url).token(ApiToken::new("token-of-the-test").unwrap()).timeout(timeout);
    client.retry(Retry::off()).build().unwrap().download(&raw::agents::download("1", "2").unwrap()).await
}

async fn download(url: &str) -> Download {
    try_download(url, Duration::from_secs(60)).await.unwrap()
}

async fn serving(bytes: &[u8]) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/web/api/v2.1/agents/1/uploads/2"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes(bytes))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn a_download_is_whole_when_it_has_its_name() {
    let server = serving(&[7; 300_000]).await;
    let place = TempDir::new().unwrap();
    let folder = place.path().join("made/on/the/way");
    let download = download(&server.uri()).await;
    assert_eq!(download.length(), Some(300_000));
    let mut again = self::download(&server.uri()).await;
    assert!(again.chunk().await.unwrap().is_some());
    assert_eq!(again.length(), Some(300_000), "and not what is left of it");
    let seen = Mutex::new(Vec::new());
    let saved =
        download.save(&folder, "up/load.zip", |bytes| seen.lock().unwrap().push(bytes)).await.unwrap();
    assert_eq!((saved.path, saved.bytes), (folder.join("up_load.zip"), 300_000));
    assert_eq!(names(&folder), ["up_load.zip"]);
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted() && seen.last() == Some(&300_000));
}

#[tokio::test]
async fn a_file_that_is_there_is_not_overwritten() {
    let server = serving(b"new").await;
    let place = TempDir::new().unwrap();
    fs::write(place.path().join("it.zip"), "old").unwrap();
    let error = download(&server.uri()).await.save(place.path(), "it.zip", |_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    assert_eq!(names(place.path()), ["it.zip"]);
    assert_eq!(fs::read(place.path().join("it.zip")).unwrap(), b"old");
}

#[tokio::test]
async fn a_download_that_ends_early_leaves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 4096];
        assert!(stream.read(&mut asked).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly so much").unwrap();
    });
    let place = TempDir::new().unwrap();
    let error = download(&url).await.save(place.path(), "it.zip", |_| ()).await.unwrap_err();
    server.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Broken, "{error}");
    assert_eq!(names(place.path()), [""; 0]);
}

#[tokio::test]
async fn what_is_no_file_is_not_saved_as_one() {
    let said = |status, kind, body: &str| ResponseTemplate::new(status).set_body_raw(body.to_owned(), kind);
    let errors = r#"{"errors": [{"code": 4040010, "title": "Not here"}]}"#;
    let answers = [
        (said(200, "application/json", errors), ErrorKind::Api, "Not here"),
        (said(200, "application/json; charset=utf-8", r#"{"data": null}"#), ErrorKind::Ended, "is no file"),
        (said(200, "text/html", "<html>log in</html>"), ErrorKind::Ended, "is no file"),
        (ResponseTemplate::new(204), ErrorKind::Ended, "is no file"),
        (said(404, "application/json", errors), ErrorKind::Api, "Not here"),
    ];
    for (answer, kind, why) in answers {
        let server = MockServer::start().await;
        Mock::given(path("/web/api/v2.1/agents/1/uploads/2")).respond_with(answer).mount(&server).await;
        let error = try_download(&server.uri(), Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_download_begins_within_the_time_limit() {
    // It takes connections and says nothing, or never ends to say what is wrong.
    let broken = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\nwell";
    for (said, kind) in [("", ErrorKind::Timeout), (broken, ErrorKind::Api)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(said.as_bytes()).unwrap();
            // Until the other side gives up.
            while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
        });
        let error = try_download(&url, Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "the status is the message where there is one: {error}");
        // This thread closes the connection, so it must not be the one that waits for that.
        tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
    }
}
