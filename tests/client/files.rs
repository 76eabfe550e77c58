//! Downloads to disk, and unpacking of untrusted archives.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use secrecy::SecretString;
use sentinelone::files::{Download, SavedFile, UnpackLimits, unpack};
use sentinelone::remote_scripts::ScriptDownloadLink;
use sentinelone::{ApiToken, Client, Error, ErrorKind, RetryPolicy, raw};
use tempfile::TempDir;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};
use zip::unstable::write::FileOptionsExt;
use zip::write::{FileOptions, SimpleFileOptions};
use zip::{AesMode, ZipWriter};

const PASSWORD: &str = "Correct-Horse-1";

fn zip_crypto(password: &str) -> FileOptions<'_, 'static, ()> {
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

/// Unpacks into the directory `out` of a new temporary directory.
fn unpack_to_temp(zip: &[u8], limits: UnpackLimits) -> (TempDir, Result<Vec<SavedFile>, Error>) {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("it.zip"), zip).unwrap();
    let password = SecretString::from(PASSWORD);
    let saved = unpack(&temp.path().join("it.zip"), &password, &temp.path().join("out"), limits);
    (temp, saved)
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Asserts that unpacking fails and leaves no files behind.
fn assert_rejected(zip: &[u8], limits: UnpackLimits, message: &str) {
    let (temp, result) = unpack_to_temp(zip, limits);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Archive, "{error}");
    assert!(error.report().to_string().contains(message), "{}", error.report());
    assert_eq!(names(temp.path()), ["it.zip"]);
}

#[test]
fn unpack_supports_both_encryptions() {
    let entries: [(&str, &[u8]); 4] =
        [("manifest.json", b"{}"), ("C/Users/me/a.txt", b"one"), ("empty/", b""), ("b", b"")];
    for options in [zip_crypto(PASSWORD), aes(PASSWORD), SimpleFileOptions::default()] {
        let (temp, saved) = unpack_to_temp(&archive(&entries, options), UnpackLimits::default());
        let saved = saved.unwrap();
        let found: Vec<_> = saved.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(found, [("manifest.json", 2), ("C/Users/me/a.txt", 3), ("b", 0)]);
        assert_eq!(fs::read(&saved[1].path).unwrap(), b"one");
        assert!(saved[1].path.starts_with(temp.path().join("out")));
        assert_eq!(names(temp.path()), ["it.zip", "out"]);
        assert_eq!(names(&temp.path().join("out")), ["C", "b", "manifest.json"], "no empty directories");
    }
}

#[test]
fn unpack_wrong_password_is_rejected() {
    let entries: [(&str, &[u8]); 2] = [("a.txt", b"one"), ("b.txt", b"two")];
    for options in [zip_crypto("Another-Horse-2"), aes("Another-Horse-2")] {
        // ZipCrypto accepts one wrong password in 256 until the checksum; both cases give the same error.
        assert_rejected(&archive(&entries, options), UnpackLimits::default(), "check the password");
    }
}

#[test]
fn unpack_other_faults_do_not_mention_password() {
    let mut damaged = archive(&[("a.txt", b"one")], SimpleFileOptions::default());
    // The compressed data follow the header of 30 bytes and the name.
    damaged[36] ^= 0xff;
    let varying: Vec<u8> = (0..400_u32).map(|at| (at * at % 251) as u8).collect();
    let mut second = archive(&[("a.txt", b"one"), ("b.txt", &varying)], aes(PASSWORD));
    let at = second.windows(5).position(|bytes| bytes == b"b.txt").unwrap();
    // An extra field of 11 bytes, the salt of 16 bytes, 2 bytes that check the password, and the data follow.
    second[at + 60] ^= 0xff;
    for zip in [b"no archive".to_vec(), damaged, second, archive(&[("../x", b"one")], zip_crypto(PASSWORD))] {
        let (_temp, result) = unpack_to_temp(&zip, UnpackLimits::default());
        let error = result.unwrap_err();
        assert!(!error.to_string().contains("password"), "{error}");
    }
}

#[test]
fn unpack_rejects_non_zip_data() {
    assert_rejected(b"<html>an error page</html>", UnpackLimits::default(), "not a zip archive");
    assert_rejected(b"", UnpackLimits::default(), "not a zip archive");
    let complete = archive(&[("a.txt", b"one")], zip_crypto(PASSWORD));
    assert_rejected(&complete[..complete.len() - 30], UnpackLimits::default(), "not a zip archive");
}

#[test]
fn unpack_path_traversal_is_rejected() {
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
        for options in [zip_crypto(PASSWORD), aes(PASSWORD)] {
            // Entries before it are removed too.
            assert_rejected(
                &archive(&[("fine", b"one"), (name, b"two")], options),
                UnpackLimits::default(),
                "leaves the target directory",
            );
        }
    }
}

#[test]
fn unpack_drive_letter_becomes_directory() {
    let (temp, saved) = unpack_to_temp(
        &archive(&[("C:\\Users\\a.txt", b"one")], zip_crypto(PASSWORD)),
        UnpackLimits::default(),
    );
    let saved = saved.unwrap();
    assert_eq!(saved[0].path, temp.path().join("out/C_/Users/a.txt"));
    assert_eq!(saved[0].name, "C:\\Users\\a.txt");
}

#[test]
fn unpack_symlink_is_rejected() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("passwords", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    assert_rejected(&zip.finish().unwrap().into_inner(), UnpackLimits::default(), "is a link");
}

#[test]
fn unpack_enforces_size_and_entry_limits() {
    let zeros = vec![0; 100_000];
    let bomb = archive(&[("a", &zeros), ("b", &zeros)], zip_crypto(PASSWORD));
    let limits = |bytes, entries| {
        let mut limits = UnpackLimits::default();
        (limits.bytes, limits.entries) = (bytes, entries);
        limits
    };
    assert!(bomb.len() < 2_000);
    assert_rejected(&bomb, limits(99_999, 9), "more than 99999 bytes");
    assert_rejected(&bomb, limits(199_999, 9), "more than 199999 bytes");
    assert_rejected(&bomb, limits(1 << 20, 1), "2 entries");
    let (_temp, saved) = unpack_to_temp(&bomb, limits(200_000, 2));
    assert_eq!(saved.unwrap().len(), 2);
}

#[test]
fn unpack_enforces_depth_limit() {
    let deep = format!("{}x", "d/".repeat(64));
    assert_rejected(
        &archive(&[(&deep, b"one")], zip_crypto(PASSWORD)),
        UnpackLimits::default(),
        "64 directories deep",
    );
    let dirs: String = "d/".repeat(60);
    let (temp, saved) =
        unpack_to_temp(&archive(&[(&dirs, b""), ("x", b"")], zip_crypto(PASSWORD)), UnpackLimits::default());
    assert_eq!(saved.unwrap().len(), 1);
    assert_eq!(names(&temp.path().join("out")), ["x"]);
}

#[test]
fn unpack_sanitizes_entry_names() {
    let entries: [(&str, &[u8]); 4] =
        [("a\u{1b}[2J\u{202e}gpj.exe", b""), ("NUL.txt", b""), ("dots..", b""), (".. /y", b"")];
    let (temp, saved) = unpack_to_temp(&archive(&entries, zip_crypto(PASSWORD)), UnpackLimits::default());
    assert_eq!(saved.unwrap()[0].name, entries[0].0, "the original name is reported");
    assert_eq!(names(&temp.path().join("out")), ["_NUL.txt", "___", "a_[2J_gpj.exe", "dots__"]);
    let one = [("C:/x", b"1".as_slice()), ("C_/x", b"2")];
    assert_rejected(
        &archive(&one, zip_crypto(PASSWORD)),
        UnpackLimits::default(),
        "the same name as another",
    );
}

#[test]
fn unpack_existing_directory_is_unchanged() {
    let temp = TempDir::new().unwrap();
    let zip = temp.path().join("it.zip");
    fs::write(&zip, archive(&[("a.txt", b"new")], zip_crypto(PASSWORD))).unwrap();
    let out = temp.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("a.txt"), "old").unwrap();
    let error = unpack(&zip, &SecretString::from(PASSWORD), &out, UnpackLimits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(fs::read(out.join("a.txt")).unwrap(), b"old");
    assert_eq!(names(temp.path()), ["it.zip", "out"]);
}

async fn try_download(url: &str, timeout: Duration) -> Result<Download, Error> {
    let client = Client::builder(url).token(ApiToken::new("token-of-the-test").unwrap()).timeout(timeout);
    client
        .retry_policy(RetryPolicy::disabled())
        .build()
        .unwrap()
        .download(&raw::agents::download("1", "2").unwrap())
        .await
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
async fn save_renames_file_when_complete() {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let zip = archive(&[("a", &[7; 300_000])], stored);
    let size = zip.len() as u64;
    let server = serving(&zip).await;
    let temp = TempDir::new().unwrap();
    let dir = temp.path().join("made/on/the/way");
    let download = download(&server.uri()).await;
    assert_eq!(download.length(), Some(size));
    let mut partial = self::download(&server.uri()).await;
    assert!(partial.chunk().await.unwrap().is_some());
    assert_eq!(partial.length(), Some(size), "the length is that of the complete file");
    let progress = Mutex::new(Vec::new());
    let saved =
        download.save(&dir, "up/load.zip", |bytes| progress.lock().unwrap().push(bytes)).await.unwrap();
    assert_eq!((saved.path, saved.bytes), (dir.join("up_load.zip"), size));
    assert_eq!(names(&dir), ["up_load.zip"]);
    let progress = progress.into_inner().unwrap();
    assert!(progress.is_sorted() && progress.last() == Some(&size));
}

/// Serves one response on a raw socket and closes the connection.
fn serving_raw(response: Vec<u8>) -> (String, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(&response).unwrap();
    });
    (url, server)
}

/// A response with a body in the framings that a server or a proxy can use.
fn framings(kind: &str, body: &[u8]) -> [Vec<u8>; 3] {
    let head =
        |framing: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n").into_bytes();
    let mut chunked = head("transfer-encoding: chunked");
    for part in body.chunks(1000) {
        chunked.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        chunked.extend_from_slice(part);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let with_length = format!("content-length: {}", body.len());
    [
        [head(&with_length), body.to_vec()].concat(),
        [head("connection: close"), body.to_vec()].concat(),
        chunked,
    ]
}

#[tokio::test]
async fn save_incomplete_archive_is_an_error_in_each_framing() {
    const OCTETS: &str = "application/octet-stream";
    let zip = archive(&[("a.bin", &[9; 5000]), ("b.txt", b"two")], zip_crypto(PASSWORD));
    let page = b"<html><title>Sign in</title></html>".as_slice();
    let error = br#"{"errors":[{"title":"No such upload"}]}"#.as_slice();
    for (kind, body, name, words) in [
        (OCTETS, &zip[..zip.len() / 2], "x.bin", "truncated"),
        (OCTETS, &zip[..zip.len() - 1], "x.zip", "truncated"),
        (OCTETS, b"", "x.bin", "0 bytes"),
        ("application/zip", b"", "x", "0 bytes"),
        (OCTETS, page, "x.bin", "Sign in"),
        (OCTETS, error, "x.zip", "No such upload"),
        (
            "text/plain",
            b"token-of-the-test",
            "x.zip",
            "not a zip archive: the download has 17 bytes: \u{2026}",
        ),
    ] {
        for response in framings(kind, body) {
            let (url, server) = serving_raw(response);
            let temp = TempDir::new().unwrap();
            let error = download(&url).await.save(temp.path(), name, |_| ()).await.unwrap_err();
            server.join().unwrap();
            let expected = if body == page { ErrorKind::NoResult } else { ErrorKind::Archive };
            assert_eq!((error.kind(), error.operation()), (expected, Some("agents_download")), "{error}");
            assert!(error.to_string().contains(words), "{words}: {error}");
            assert!(!error.help().unwrap_or_default().contains("password"), "{error}");
            assert_eq!(names(temp.path()), [""; 0]);
        }
    }
    // The bytes are streamed, and the end is an error.
    let (url, server) = serving_raw(framings(OCTETS, &zip[..200]).into_iter().next().unwrap());
    let mut chunks = download(&url).await;
    let mut received = 0;
    let error = loop {
        match chunks.chunk().await {
            Ok(chunk) => received += chunk.expect("the end of a truncated archive").len(),
            Err(error) => break error,
        }
    };
    server.join().unwrap();
    assert_eq!((received, error.kind()), (200, ErrorKind::Archive));
}

#[tokio::test]
async fn save_complete_archive_is_accepted_in_each_framing() {
    let mut with_comment = ZipWriter::new(Cursor::new(Vec::new()));
    with_comment.set_comment("made for a test, PK\u{5}\u{6}").unwrap();
    with_comment.start_file("a.txt", aes(PASSWORD)).unwrap();
    with_comment.write_all(b"one").unwrap();
    let mut large = ZipWriter::new(Cursor::new(Vec::new()));
    large.start_file("a.txt", zip_crypto(PASSWORD).large_file(true)).unwrap();
    large.write_all(b"one").unwrap();
    let inner = archive(&[("inner.txt", b"one")], SimpleFileOptions::default());
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for zip in [
        with_comment.finish().unwrap().into_inner(),
        large.finish().unwrap().into_inner(),
        archive(&[("inner.zip", &inner)], stored),
        archive(&[], stored),
    ] {
        for response in framings("application/zip", &zip) {
            let (url, server) = serving_raw(response);
            let temp = TempDir::new().unwrap();
            let saved = download(&url).await.save(temp.path(), "x.zip", |_| ()).await.unwrap();
            server.join().unwrap();
            assert!(fs::read(saved.path).unwrap() == zip, "different content");
        }
    }
}

/// A URL of the console can lead to a file of any type.
/// The content type of a document does not hide an archive, complete or not.
#[tokio::test]
async fn save_archive_with_type_of_a_document_follows_its_content() {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let zip = archive(&[("a.bin", &[9; 100_000])], stored);
    for kind in ["application/json", "text/html; charset=utf-8"] {
        for (body, is_complete) in [(zip.as_slice(), true), (&zip[..zip.len() - 40], false)] {
            for response in framings(kind, body) {
                let (url, server) = serving_raw(response);
                let temp = TempDir::new().unwrap();
                let download = download(&url).await;
                assert!(download.length().is_none_or(|length| length == body.len() as u64), "{kind}");
                let saved = download.save(temp.path(), "x.zip", |_| ()).await;
                server.join().unwrap();
                match saved {
                    Ok(saved) => assert!(is_complete && fs::read(saved.path).unwrap() == body, "{kind}"),
                    Err(error) => {
                        assert_eq!((error.kind(), is_complete), (ErrorKind::Archive, false), "{error}");
                        assert!(error.to_string().contains("truncated"), "{error}");
                        assert_eq!(names(temp.path()), [""; 0]);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn save_from_url_checks_named_and_recognized_archives() {
    let zip = archive(&[("a.bin", &[9; 5000])], zip_crypto(PASSWORD));
    let cut = &zip[..zip.len() / 2];
    for (url_path, header, body, is_accepted) in [
        ("/results/1", "", b"plain output".as_slice(), true),
        ("/results/1", "", b"", true),
        ("/results/1", "", &zip, true),
        ("/results/1", "", cut, false),
        ("/results/out.ZIP?signature=1", "", b"", false),
        ("/results/1", "attachment; filename=\"out.zip\"", b"<Error><Code>Gone</Code></Error>", false),
    ] {
        let server = MockServer::start().await;
        let response =
            ResponseTemplate::new(200).set_body_bytes(body).insert_header("content-disposition", header);
        Mock::given(wiremock::matchers::any()).respond_with(response).mount(&server).await;
        let client =
            Client::builder(server.uri()).token(ApiToken::new("token-of-the-test").unwrap()).build().unwrap();
        let url = format!("{}{url_path}", server.uri());
        let temp = TempDir::new().unwrap();
        let mut link = ScriptDownloadLink::default();
        link.download_url = Some(url);
        let download = client.download_link(&link).await.unwrap();
        let saved = download.save(temp.path(), "out", |_| ()).await;
        match saved {
            Ok(saved) => assert!(is_accepted && fs::read(saved.path).unwrap() == body, "{url_path}"),
            Err(error) => {
                assert!(!is_accepted && error.kind() == ErrorKind::Archive, "{url_path}: {error}");
                assert_eq!(names(temp.path()), [""; 0]);
            }
        }
    }
}

#[tokio::test]
async fn save_existing_file_is_not_overwritten() {
    let server = serving(&archive(&[("a.txt", b"new")], zip_crypto(PASSWORD))).await;
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("it.zip"), "old").unwrap();
    let error = download(&server.uri()).await.save(temp.path(), "it.zip", |_| ()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert_eq!(names(temp.path()), ["it.zip"]);
    assert_eq!(fs::read(temp.path().join("it.zip")).unwrap(), b"old");
}

#[tokio::test]
async fn save_interrupted_download_leaves_no_file() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly so much").unwrap();
    });
    let temp = TempDir::new().unwrap();
    let error = download(&url).await.save(temp.path(), "it.zip", |_| ()).await.unwrap_err();
    server.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_eq!(names(temp.path()), [""; 0]);
}

#[tokio::test]
async fn download_non_file_response_is_an_error() {
    let response =
        |status, kind, body: &str| ResponseTemplate::new(status).set_body_raw(body.to_owned(), kind);
    let errors = r#"{"errors": [{"code": 4040010, "title": "Not here"}]}"#;
    let responses = [
        (response(200, "application/json", errors), ErrorKind::Api, "Not here"),
        (
            response(200, "application/json; charset=utf-8", r#"{"data": null}"#),
            ErrorKind::NoResult,
            "is not a file",
        ),
        (response(200, "text/html", "<html>log in</html>"), ErrorKind::NoResult, "is not a file"),
        (
            response(200, "application/octet-stream", "<html><title>Log in</title></html>"),
            ErrorKind::NoResult,
            "an HTML page with the title \"Log in\"; check the address",
        ),
        (ResponseTemplate::new(204), ErrorKind::NoResult, "is not a file"),
        (response(404, "application/json", errors), ErrorKind::Api, "Not here"),
    ];
    for (response, kind, message) in responses {
        let server = MockServer::start().await;
        Mock::given(path("/web/api/v2.1/agents/1/uploads/2")).respond_with(response).mount(&server).await;
        let temp = TempDir::new().unwrap();
        let error = match try_download(&server.uri(), Duration::from_secs(60)).await {
            Ok(download) => download.save(temp.path(), "it.zip", |_| ()).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.report().to_string().contains(message), "{}", error.report());
        assert_eq!(names(temp.path()), [""; 0]);
    }
}

#[tokio::test]
async fn download_start_respects_timeout() {
    // The server accepts connections and sends no response, or an error response that never ends.
    let broken = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\nwell";
    for (bytes, kind) in [("", ErrorKind::Timeout), (broken, ErrorKind::Api)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(bytes.as_bytes()).unwrap();
            // Until the client closes the connection.
            while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
        });
        let error = try_download(&url, Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "the status takes precedence: {error}");
        // This thread closes the connection, so it must not wait for the server.
        tokio::task::spawn_blocking(|| server.join().unwrap()).await.unwrap();
    }
}
