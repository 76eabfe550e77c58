//! Files: downloads to disk, and archives that must not do harm.

#![cfg(feature = "unzip")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;

use secrecy::SecretString;
use sentinelone::files::{Download, Limits, Saved, unpack};
use sentinelone::{ApiToken, Client, Error, ErrorKind, raw};
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
        assert_eq!(names(&place.path().join("out")), ["C", "b", "empty", "manifest.json"]);
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
    assert!(bomb.len() < 2_000);
    refused(&bomb, Limits { bytes: 99_999, entries: 9 }, "more than 99999 bytes");
    refused(&bomb, Limits { bytes: 199_999, entries: 9 }, "more than 199999 bytes");
    refused(&bomb, Limits { bytes: 1 << 20, entries: 1 }, "2 entries");
    let (_place, saved) = unpacked(&bomb, Limits { bytes: 200_000, entries: 2 });
    assert_eq!(saved.unwrap().len(), 2);
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

async fn download(url: &str) -> Download {
    let client = Client::builder(url).token(ApiToken::new("token-of-the-test").unwrap()).build().unwrap();
    client.download(&raw::agents::download("1", "2").unwrap()).await.unwrap()
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
    assert!(matches!(error.kind(), ErrorKind::Broken | ErrorKind::Archive), "{error}");
    assert_eq!(names(place.path()), [""; 0]);
}
