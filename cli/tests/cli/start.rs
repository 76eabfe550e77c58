//! What a start of `s1` needs.

use super::s1;

/// The certificates of the system are read for a console with TLS only.
#[cfg(target_os = "linux")]
#[test]
fn sandbox_reads_no_certificates() {
    let run = |arguments: &[&str]| {
        let command = &mut s1();
        command.env("SSL_CERT_FILE", "/does-not-exist").env("SSL_CERT_DIR", "/does-not-exist");
        command.env("S1_API_TOKEN", "token-of-the-test").args(arguments).output().unwrap()
    };
    assert_eq!(run(&["--sandbox", "get-threats", "--limit", "1"]).status.code(), Some(0));
    let with_tls = run(&["--console-url", "https://127.0.0.1:9", "--max-attempts", "1", "get-threats"]);
    let message = String::from_utf8_lossy(&with_tls.stderr);
    assert!(message.contains("cannot build the HTTP client"), "{message}");
}

/// Only the command in the arguments is prepared, and errors still know all commands.
#[test]
fn command_among_other_words_is_parsed() {
    let output = |arguments: &[&str]| s1().args(arguments).output().unwrap();
    let threats = output(&["--sandbox", "--output", "ndjson", "get-threats", "--limit", "1"]);
    assert_eq!(threats.status.code(), Some(0));
    // The full name of the integration is an alias, and a value can be the name of another command.
    let alias = output(&["--sandbox", "sentinelone-get-threats", "--limit", "1"]);
    let other = output(&["--sandbox", "get-threats", "--query", "get-agents", "--limit", "1"]);
    assert_eq!((alias.status.code(), other.status.code()), (Some(0), Some(0)));
    assert_eq!(output(&["--help", "get-threats"]).stdout, output(&["--help"]).stdout);
    assert_eq!(output(&["help"]).stdout, output(&["--help"]).stdout);
    let wrong = output(&["get-threat", "get-agents"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("get-threats"), "{wrong:?}");
}
