//! Profiles: login, logout, the configuration file, and the selection of console and token.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sentinelone::Timestamp;
use sentinelone_sandbox::Sandbox;
use serde_json::{Value, json};

/// A token that the sandbox rejects.
const OTHER: &str = "another-token-of-the-tests";

/// Two consoles and a configuration directory.
struct TestBench {
    runtime: tokio::runtime::Runtime,
    consoles: Vec<Sandbox>,
    dir: tempfile::TempDir,
}

impl TestBench {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let start = || Sandbox::builder().clock(|| Timestamp::from("2026-11-20T10:00:00Z")).start();
        let consoles = (0..2).map(|_| runtime.block_on(start()).unwrap()).collect();
        Self { runtime, consoles, dir: tempfile::tempdir().unwrap() }
    }

    fn url(&self, console: usize) -> String {
        self.consoles[console].url()
    }

    /// Returns the number of requests to a console.
    fn requests(&self, console: usize) -> usize {
        self.consoles[console].exchanges().len()
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("config/config.toml")
    }

    /// Writes a configuration with two profiles; only the first has a token.
    fn write_two_profiles(&self, default: &str) {
        let (one, two) = (self.url(0), self.url(1));
        let text = format!(
            "# Edited manually.\n{default}\n[profiles.one]\nconsole = \"{one}\"\ntoken-file = \"one.token\"\n\n\
             [profiles.two]\nconsole = \"{two}\" # without a token\napi-version = \"2.0\"\n"
        );
        self.write(&text);
        write_private(&self.config().with_file_name("one.token"), Sandbox::TOKEN);
    }

    fn write(&self, text: &str) {
        fs::create_dir_all(self.config().parent().unwrap()).unwrap();
        fs::write(self.config(), text).unwrap();
    }

    fn s1(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
        for name in ["S1_CONSOLE_URL", "S1_API_TOKEN", "S1_PROFILE", "HTTP_PROXY", "HTTPS_PROXY"] {
            command.env_remove(name);
        }
        // No keyring is reachable.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        command.env("S1_CONFIG", self.config()).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.s1(arguments).envs(environment.iter().copied()).output().unwrap()
    }

    fn login(&self, token: &str, arguments: &[&str]) -> Output {
        let mut command = self.s1(&[&["login", "--token-stdin"], arguments].concat());
        // A console that a login to a profile must ignore.
        if arguments.contains(&"--profile") {
            command.env("S1_CONSOLE_URL", "https://console.example.com");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // With invalid arguments the process does not read stdin.
        let _ = child.stdin.take().unwrap().write_all(format!("{token}\n").as_bytes());
        child.wait_with_output().unwrap()
    }
}

impl Drop for TestBench {
    fn drop(&mut self) {
        for console in self.consoles.drain(..) {
            self.runtime.block_on(console.stop());
        }
    }
}

fn write_private(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn login_stores_token_after_connection_test() {
    let bench = TestBench::start();
    let login = bench.login(Sandbox::TOKEN, &["--profile", "lab", "--console-url", &bench.url(0)]);
    assert_eq!(code(&login), 0, "{}", err(&login));
    let message = out(&login);
    assert!(message.contains(&format!("profile lab: {} on API 2.1", bench.url(0))), "{message}");
    assert!(message.contains("its token expires 2036-06-01T08:00:00.000000Z"), "{message}");

    let token = bench.config().with_file_name("tokens").join("lab.token");
    assert_eq!(fs::read_to_string(&token).unwrap(), Sandbox::TOKEN);
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(
        config.contains("default = \"lab\"") && config.contains("token-file = \"tokens/lab.token\""),
        "{config}"
    );
    assert!(!config.contains(Sandbox::TOKEN), "{config}");
    #[cfg(unix)]
    for (path, mode) in [(token.as_path(), 0o600), (token.parent().unwrap(), 0o700)] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }

    // A command uses the default profile.
    let threats = bench.run(&["get-threats", "--output", "json"], &[]);
    assert_eq!((code(&threats), err(&threats)), (0, String::new()));

    // A second profile has its own version; the first one remains the default.
    let second = ["--profile", "old", "--console-url", &bench.url(1), "--api-version", "2.0"];
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &second)), 0);
    let listed = bench.run(&["profiles", "--output", "json"], &[]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let actual: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["name"], one["default"], one["apiVersion"]]))
        .collect();
    assert_eq!(actual, [json!(["lab", true, null]), json!(["old", false, "2.0"])]);
    let table = out(&bench.run(&["profiles"], &[]));
    assert!(
        table.contains("lab") && table.contains(&bench.url(1)) && !table.contains(Sandbox::TOKEN),
        "{table}"
    );
    let dry = bench.run(&["--dry-run", "--profile", "old", "get-threats"], &[]);
    assert!(out(&dry).contains("/web/api/v2.0/threats"), "{}", out(&dry));

    // An option changes the console of a profile, which removes its version.
    let moved = ["--profile", "moved", "--api-version", "2.0", "--console-url"];
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &[&moved[..], &[&bench.url(0)]].concat())), 0);
    let to = bench.url(1);
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "moved", "--console-url", &to])), 0);
    let dry = bench.run(&["--dry-run", "--profile", "moved", "get-threats"], &[]);
    assert!(out(&dry).contains("/web/api/v2.1/threats"), "{}", out(&dry));
    assert_eq!(code(&bench.run(&["logout", "--profile", "moved"], &[])), 0);

    // A new token for a profile: console and version come from the profile, not from the environment.
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "old"])), 0);
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(config.contains("api-version = \"2.0\"") && config.contains(&bench.url(1)), "{config}");

    assert_eq!(code(&bench.run(&["logout"], &[])), 0, "the default");
    assert!(!token.exists());
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(!config.contains("lab") && config.contains("[profiles.old]"), "{config}");
    let none = bench.run(&["get-threats"], &[]);
    assert!(err(&none).contains("no console URL: select a profile with --profile (old)"), "{}", err(&none));
}

#[test]
fn login_failure_writes_no_profile() {
    let bench = TestBench::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    let cases = [
        (OTHER, bench.url(0), 1, "rejected the API token"),
        (Sandbox::TOKEN, closed, 1, "is unreachable"),
        ("a token", bench.url(0), 2, "contains whitespace"),
        ("", bench.url(0), 2, "the API token is empty"),
        (Sandbox::TOKEN, "http://console.example.com".into(), 2, "plain http"),
    ];
    for (token, url, expected, reason) in cases {
        let login = bench.login(token, &["--console-url", &url, "--max-attempts", "1"]);
        let message = err(&login);
        assert_eq!(code(&login), expected, "{message}");
        assert!(message.contains(reason) && (token.is_empty() || !message.contains(token)), "{message}");
        assert!(!bench.config().parent().unwrap().exists(), "no file is written: {reason}");
    }
    for (arguments, reason) in [
        (&["login", "--console-url", "https://console.example.com"][..], "--token-stdin"),
        (&["login"], "no console URL: use --console-url"),
        (&["--sandbox", "login"], "--sandbox is not supported by login"),
        (&["login", "--profile", "../up"], "is not a valid profile name"),
    ] {
        let rejected = bench.run(arguments, &[]);
        assert_eq!(code(&rejected), 2, "{arguments:?}");
        assert!(err(&rejected).contains(reason), "{arguments:?}: {}", err(&rejected));
    }
}

#[test]
fn login_failure_keeps_existing_profile() {
    let bench = TestBench::start();
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--console-url", &bench.url(0)])), 0);
    let before = fs::read_to_string(bench.config()).unwrap();
    assert_eq!(code(&bench.login(OTHER, &[])), 1);
    assert_eq!(fs::read_to_string(bench.config()).unwrap(), before);
    assert_eq!(code(&bench.run(&["get-sites"], &[])), 0);
}

#[test]
fn login_keeps_comments_of_configuration() {
    let bench = TestBench::start();
    bench.write_two_profiles("default = \"one\"");
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "two"])), 0);
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(config.starts_with("# Edited manually.\ndefault = \"one\""), "{config}");
    assert!(config.contains("token-file = \"tokens/two.token\""), "{config}");
    assert!(config.contains("\" # without a token\n"), "{config}");
    // Logout does not remove a token file that login did not write.
    let logout = bench.run(&["logout", "--profile", "one"], &[]);
    assert_eq!(code(&logout), 0);
    assert!(err(&logout).contains("was not removed"), "{}", err(&logout));
    assert!(bench.config().with_file_name("one.token").exists());
    assert!(fs::read_to_string(bench.config()).unwrap().starts_with("# Edited manually.\n"));
}

#[test]
fn concurrent_logins_are_all_stored() {
    let bench = TestBench::start();
    let url = bench.url(0);
    let names = ["a", "b", "c", "d", "e", "f"];
    std::thread::scope(|scope| {
        for name in names {
            let (bench, url) = (&bench, &url);
            scope.spawn(move || {
                let login = bench.login(Sandbox::TOKEN, &["--profile", name, "--console-url", url]);
                assert_eq!(code(&login), 0, "{}", err(&login));
            });
        }
    });
    let profiles: Value =
        serde_json::from_slice(&bench.run(&["profiles", "--output", "json"], &[]).stdout).unwrap();
    let mut stored: Vec<&str> =
        profiles.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    stored.sort_unstable();
    assert_eq!(stored, names);
    let defaults = profiles.as_array().unwrap().iter().filter(|one| one["default"] == true).count();
    assert_eq!(defaults, 1, "the first profile");
}

#[test]
fn login_first_profile_becomes_default() {
    let bench = TestBench::start();
    let url = bench.url(0);
    let login = |name: &str| {
        let login = bench.login(Sandbox::TOKEN, &["--profile", name, "--console-url", &url]);
        assert_eq!(code(&login), 0, "{}", err(&login));
        out(&login).contains("it is now the default profile")
    };
    assert!(login("lab"), "the first profile");
    assert!(!login("prod") && !login("lab"), "a default exists");
    bench.write_two_profiles("# none");
    assert!(!login("lab") && !login("one"), "a configuration without a default keeps none");
    assert!(!fs::read_to_string(bench.config()).unwrap().contains("default"));
}

#[test]
fn login_name_differing_only_in_case_is_rejected() {
    let bench = TestBench::start();
    bench.write_two_profiles("");
    let login = bench.login(Sandbox::TOKEN, &["--profile", "ONE", "--console-url", &bench.url(0)]);
    assert_eq!(code(&login), 2, "{}", err(&login));
    assert!(err(&login).contains("the profile one differs from ONE only in case"), "{}", err(&login));
    assert_eq!(bench.requests(0), 0);
}

#[test]
fn login_keeps_inline_table() {
    let bench = TestBench::start();
    let url = bench.url(0);
    bench.write(&format!(
        "[profiles]\n# The lab.\nlab = {{ console = \"{url}\" }} # not for production\n# Others.\n"
    ));
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "lab"])), 0);
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(config.starts_with("[profiles]\n# The lab.\nlab = { console = "), "{config}");
    assert!(config.contains("token-file = \"tokens/lab.token\""), "{config}");
    assert!(config.contains("} # not for production\n# Others.\n"), "{config}");
    assert_eq!(code(&bench.run(&["get-sites", "--profile", "lab"], &[])), 0);
}

#[cfg(unix)]
#[test]
fn login_writes_through_dangling_link() {
    let bench = TestBench::start();
    fs::create_dir_all(bench.config().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../dotfiles/s1.toml", bench.config()).unwrap();
    for name in ["lab", "prod"] {
        let login = bench.login(Sandbox::TOKEN, &["--profile", name, "--console-url", &bench.url(0)]);
        assert_eq!(code(&login), 0, "{}", err(&login));
    }
    assert!(fs::symlink_metadata(bench.config()).unwrap().is_symlink());
    let written = fs::read_to_string(bench.dir.path().join("dotfiles/s1.toml")).unwrap();
    assert!(written.contains("[profiles.lab]") && written.contains("[profiles.prod]"), "{written}");
}

#[test]
fn console_and_token_precedence() {
    let bench = TestBench::start();
    bench.write_two_profiles("default = \"one\"");
    let (one, two) = (bench.url(0), bench.url(1));
    let file = bench.dir.path().join("by-option.token");
    write_private(&file, Sandbox::TOKEN);
    let file = file.to_str().unwrap();
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], usize, &'a str);
    let cases: &[Case<'_>] = &[
        (&[], &[], 0, "the default profile"),
        (&["--profile", "one"], &[], 0, "a profile by option"),
        (&[], &[("S1_PROFILE", "one")], 0, "a profile by environment"),
        (&["--console-url", &one], &[], 0, "the console of the profile by option"),
        (&[], &[("S1_CONSOLE_URL", &one)], 0, "the console of the profile by environment"),
        (
            &[],
            &[("S1_CONSOLE_URL", &two), ("S1_API_TOKEN", Sandbox::TOKEN)],
            1,
            "the environment precedes the default profile",
        ),
        (
            &[],
            &[("S1_CONSOLE_URL", &two), ("S1_API_TOKEN", Sandbox::TOKEN), ("S1_PROFILE", "one")],
            1,
            "the environment precedes a profile of the environment",
        ),
        (
            &["--profile", "one"],
            &[("S1_CONSOLE_URL", &two), ("S1_API_TOKEN", OTHER)],
            0,
            "a profile by option precedes the environment",
        ),
        (
            &["--console-url", &two, "--api-token-file", file],
            &[("S1_CONSOLE_URL", &one), ("S1_API_TOKEN", OTHER)],
            1,
            "options precede the environment",
        ),
        (
            &["--profile", "two", "--api-token-file", file],
            &[],
            1,
            "a token by option for a profile without a token",
        ),
        (
            &["--profile", "two"],
            &[("S1_API_TOKEN", Sandbox::TOKEN)],
            1,
            "a token by environment for a profile without a token",
        ),
    ];
    for (arguments, environment, console, case) in cases {
        let before = [bench.requests(0), bench.requests(1)];
        let output = bench.run(&[&["get-sites"], *arguments].concat(), environment);
        assert_eq!(code(&output), 0, "{case}: {}", err(&output));
        let requests = [bench.requests(0) - before[0], bench.requests(1) - before[1]];
        assert_eq!(requests, if *console == 0 { [1, 0] } else { [0, 1] }, "{case}");
    }
}

#[test]
fn token_is_sent_only_to_its_console() {
    let bench = TestBench::start();
    bench.write_two_profiles("default = \"one\"");
    let two = bench.url(1);
    let file = bench.config().with_file_name("one.token");
    let file = file.to_str().unwrap();
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (&["--console-url", &two], &[], "and is not sent to"),
        (&[], &[("S1_CONSOLE_URL", &two)], "and is not sent to"),
        (&["--profile", "one", "--console-url", &two], &[], "and is not sent to"),
        (&["--profile", "one", "--console-url", &two], &[("S1_API_TOKEN", OTHER)], "and is not sent to"),
        (&[], &[("S1_PROFILE", "one"), ("S1_CONSOLE_URL", &two)], "and is not sent to"),
        (&[], &[("S1_API_TOKEN", OTHER)], "which may not belong to"),
        (&["--api-token-file", file], &[], "which may not belong to"),
        (&[], &[("S1_PROFILE", "one"), ("S1_API_TOKEN", OTHER)], "two tokens"),
        (
            &["--profile", "two"],
            &[("S1_CONSOLE_URL", &bench.url(0)), ("S1_API_TOKEN", Sandbox::TOKEN)],
            "belongs to the console in S1_CONSOLE_URL and is not sent to",
        ),
        (&["--profile", "two"], &[], "no API token"),
        (&["--profile", "two"], &[("S1_API_TOKEN", " ")], "no API token"),
        (&["--sandbox", "--profile", "one"], &[], "--sandbox cannot be used with"),
    ];
    for (arguments, environment, reason) in cases {
        let output = bench.run(&[&["get-sites"], *arguments].concat(), environment);
        let message = err(&output);
        assert_eq!(code(&output), 2, "{arguments:?} {environment:?}: {message}");
        assert!(message.contains(reason), "{arguments:?} {environment:?}: {message}");
        assert!(!message.contains(OTHER) && !message.contains(Sandbox::TOKEN), "{message}");
    }
    assert_eq!([bench.requests(0), bench.requests(1)], [0, 0], "no request was sent");
}

#[cfg(unix)]
#[test]
fn environment_variable_not_utf8_exits_2() {
    use std::os::unix::ffi::OsStrExt;
    let bench = TestBench::start();
    bench.write_two_profiles("default = \"one\"");
    for name in ["S1_PROFILE", "S1_CONSOLE_URL", "S1_API_TOKEN"] {
        let mut command = bench.s1(&["get-sites"]);
        let output = command.env(name, std::ffi::OsStr::from_bytes(b"one\xff")).output().unwrap();
        assert_eq!(code(&output), 2, "{name}");
        assert!(err(&output).contains(&format!("{name} is not UTF-8")), "{}", err(&output));
    }
    let empty =
        bench.run(&["get-sites"], &[("S1_PROFILE", ""), ("S1_CONSOLE_URL", ""), ("S1_API_TOKEN", "")]);
    assert_eq!(code(&empty), 0, "{}", err(&empty));
    assert_eq!((bench.requests(0), bench.requests(1)), (1, 0));
}

#[test]
fn invalid_configuration_error_hides_values() {
    let bench = TestBench::start();
    let secret = "eyJ-in-clear-of-the-tests";
    let profile = |line: &str| format!("[profiles.prod]\nconsole = \"console.example.com\"\n{line}\n");
    let cases = [
        (profile(&format!("token = \"{secret}\"")), "not a token"),
        (profile(&format!("token = {secret}")), "line 3 is not valid TOML"),
        (profile(&format!("token-fil = \"{secret}\"")), "did you mean token-file?"),
        (profile(&format!("token-file = [\"{secret}\"]")), "token-file is not a string"),
        (profile(&format!("token-file = \"{secret}\"")), "not a token"),
        (profile(&format!("token-file = \"ApiToken {secret}\"")), "not a token"),
        (profile(&format!("token-file = \"Bearer '{secret}'\"")), "not a token"),
        (profile(&format!("token-file = \"{secret}{}\"", "x".repeat(64))), "not a token"),
        (profile("token-file = \"a\"\ntoken = \"keyring\""), "exclude each other"),
        (profile("api-version = \"2.2\""), "api-version is neither 2.0 nor 2.1"),
        ("[profiles.prod]\ntoken-file = \"a\"\n".to_owned(), "console is missing"),
        ("[profiles.prod]\nconsole = \"http://console.example.com\"\n".to_owned(), "plain http"),
        (format!("defalt = \"{secret}\"\n"), "did you mean default?"),
        ("profiles = 1\n".to_owned(), "profiles is not a table"),
    ];
    for (text, reason) in cases {
        bench.write(&text);
        let output = bench.run(&["get-threats", "--profile", "prod"], &[]);
        let message = err(&output);
        assert_eq!(code(&output), 2, "{text}: {message}");
        assert!(
            message.contains(reason) && message.contains("config.toml") && !message.contains(secret),
            "{text}: {message}"
        );
    }
    // A token that does not look like one is hidden, too.
    bench.write(&profile("token-file = \"of-the-tests\""));
    for arguments in
        [&["get-threats", "--profile", "prod"][..], &["profiles"], &["logout", "--profile", "prod"]]
    {
        let output = bench.run(arguments, &[]);
        let message = out(&output) + &err(&output);
        assert!(message.contains("prod") && !message.contains("of-the-tests"), "{arguments:?}: {message}");
        let reason = "profile prod: cannot read the file of token-file";
        assert_eq!(code(&output) == 2, message.contains(reason), "{arguments:?}: {message}");
    }
    bench.write_two_profiles("");
    let missing = bench.run(&["get-threats", "--profile", "oen"], &[]);
    assert!(
        err(&missing).contains("unknown profile \"oen\"; expected one, two\n  did you mean one?"),
        "{}",
        err(&missing)
    );
    let complete = [("S1_CONSOLE_URL", bench.url(0)), ("S1_API_TOKEN", Sandbox::TOKEN.to_owned())];
    bench.write("not toml at all");
    let unread = bench.s1(&["get-sites"]).envs(complete).output().unwrap();
    assert_eq!(code(&unread), 0, "with console and token the configuration is not read: {}", err(&unread));
}

/// Each source of a token removes the same text around it, and reports it without the token.
#[test]
fn copied_token_works_from_each_source() {
    let bench = TestBench::start();
    let (console, token) = (bench.url(0), Sandbox::TOKEN);
    let utf16: Vec<u8> =
        format!("\u{feff}\"{token}\"\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = bench.dir.path().join("copied.token");
    fs::write(&file, utf16).unwrap();
    let option = ["--api-token-file", file.to_str().unwrap()];
    let url = ["--console-url", console.as_str()];

    let environment =
        bench.run(&[&url[..], &["get-sites"]].concat(), &[("S1_API_TOKEN", "Bearer 'sandbox-token';")]);
    let from_file = bench.run(&[&url[..], &option, &["get-sites"]].concat(), &[]);
    let quiet = bench.run(&[&url[..], &option, &["get-sites", "--log-level", "off"]].concat(), &[]);
    let stdin =
        bench.login(&format!("Authorization: ApiToken <{token}>"), &[&["--profile", "a"], &url[..]].concat());
    let login_file = bench.run(&[&["login", "--profile", "b"], &url[..], &option].concat(), &[]);
    for (output, parts) in [
        (&environment, &["the scheme Bearer", "quotes", "a semicolon"][..]),
        (&from_file, &["UTF-16", "quotes"]),
        (&quiet, &["warning: ", "UTF-16", "quotes"]),
        (&stdin, &["the header name Authorization", "the scheme ApiToken", "angle brackets"]),
        (&login_file, &["UTF-16", "quotes"]),
    ] {
        let message = err(output);
        assert_eq!(code(output), 0, "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{parts:?}: {message}");
        assert!(!message.contains(token) && !out(output).contains(token), "{message}");
    }
    // The store has the token only, so that later commands report nothing.
    for profile in ["a", "b"] {
        let stored = bench.config().with_file_name("tokens").join(format!("{profile}.token"));
        assert_eq!(fs::read_to_string(stored).unwrap(), token);
        let later = bench.run(&["--profile", profile, "get-sites"], &[]);
        assert_eq!((code(&later), err(&later)), (0, String::new()));
    }
    // A file that was edited manually.
    bench.write_two_profiles("default = \"one\"");
    write_private(&bench.config().with_file_name("one.token"), &format!("{token},\n"));
    let profile = bench.run(&["get-sites"], &[]);
    assert_eq!(code(&profile), 0, "{}", err(&profile));
    assert!(err(&profile).contains("a comma"), "{}", err(&profile));
}

#[test]
fn invalid_token_is_rejected_before_any_request() {
    let bench = TestBench::start();
    let console = bench.url(0);
    for (token, name) in [
        ("S1_API_TOKEN=sandbox-token", "an assignment"),
        ("sandbox token", "whitespace"),
        ("$S1_TOKEN", "a variable"),
        ("<your-token>", "a placeholder"),
        ("\"\"", "is empty"),
    ] {
        let output = bench.run(&["--console-url", &console, "get-sites"], &[("S1_API_TOKEN", token)]);
        assert_eq!(code(&output), 2, "{token}: {}", err(&output));
        assert!(err(&output).contains(name) && !err(&output).contains("sandbox"), "{}", err(&output));
    }
    assert_eq!(bench.requests(0), 0);
}

#[cfg(unix)]
#[test]
fn token_file_readable_by_others_is_warned_of() {
    let bench = TestBench::start();
    bench.write_two_profiles("default = \"one\"");
    let file = bench.config().with_file_name("one.token");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let output = bench.run(&["get-sites"], &[]);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("warning: other users can read the token in"), "{}", err(&output));
    let quiet = bench.run(&["get-sites", "--log-level", "off"], &[]);
    assert_eq!((code(&quiet), err(&quiet)), (0, String::new()));
}

/// The token is not stored elsewhere instead.
#[cfg(target_os = "linux")]
#[test]
fn missing_keyring_fails_login_but_not_logout() {
    let bench = TestBench::start();
    let login = bench.login(Sandbox::TOKEN, &["--console-url", &bench.url(0), "--token-store", "keyring"]);
    assert_eq!(code(&login), 1, "{}", err(&login));
    assert!(err(&login).contains("cannot use the keyring"), "{}", err(&login));
    assert!(!bench.config().exists());
    bench.write(&format!(
        "default = \"k\"\n[profiles.k]\nconsole = \"{}\"\ntoken = \"keyring\"\n",
        bench.url(0)
    ));
    let output = bench.run(&["get-sites"], &[]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("--token-store file"), "{}", err(&output));

    // The file stores the token, and the profile can be removed.
    let warning = "the token for http://127.0.0.1";
    let moved = bench.login(Sandbox::TOKEN, &["--profile", "k"]);
    assert_eq!(code(&moved), 0, "{}", err(&moved));
    assert!(
        err(&moved).contains("warning: the previous token was not removed") && err(&moved).contains(warning)
    );
    assert_eq!(code(&bench.run(&["get-sites"], &[])), 0);
    bench.write(&format!("[profiles.k]\nconsole = \"{}\"\ntoken = \"keyring\"\n", bench.url(0)));
    let logout = bench.run(&["logout", "--profile", "k"], &[]);
    assert_eq!((code(&logout), out(&logout).as_str()), (0, "profile k removed\n"), "{}", err(&logout));
    assert!(err(&logout).contains(warning) && err(&logout).contains("may remain in the keyring"));
    assert!(!fs::read_to_string(bench.config()).unwrap().contains("profiles.k"));
}
