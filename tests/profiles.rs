//! Profiles, and the tokens behind them: kept after a test, and sent nowhere else.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sentinelone::sandbox::Sandbox;
use serde_json::{Value, json};

/// A token of nobody, told apart from that of the sandbox.
const OTHER: &str = "another-token-of-the-tests";

/// Two consoles, and a folder for settings.
struct Bench {
    runtime: tokio::runtime::Runtime,
    consoles: Vec<Sandbox>,
    folder: tempfile::TempDir,
}

impl Bench {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let consoles = (0..2).map(|_| runtime.block_on(Sandbox::start()).unwrap()).collect();
        Self { runtime, consoles, folder: tempfile::tempdir().unwrap() }
    }

    fn url(&self, console: usize) -> String {
        self.consoles[console].url()
    }

    /// How many requests a console has seen.
    fn asked(&self, console: usize) -> usize {
        self.consoles[console].exchanges().len()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("settings/config.toml")
    }

    /// Settings with the two consoles, and the first one's token.
    fn settings(&self, default: &str) {
        let (one, two) = (self.url(0), self.url(1));
        let text = format!(
            "# Kept by hand.\n{default}\n[profiles.one]\nconsole = \"{one}\"\ntoken-file = \"one.token\"\n\n\
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
        // No keyring answers there.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        command.env("S1_CONFIG", self.config()).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.s1(arguments).envs(environment.iter().copied()).output().unwrap()
    }

    fn login(&self, token: &str, arguments: &[&str]) -> Output {
        let mut command = self.s1(&[&["login", "--token-stdin"], arguments].concat());
        // Of another console than any that a test logs in to by name.
        if arguments.contains(&"--profile") {
            command.env("S1_CONSOLE_URL", "https://console.example.com");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that refuses its arguments does not read.
        let _ = child.stdin.take().unwrap().write_all(format!("{token}\n").as_bytes());
        child.wait_with_output().unwrap()
    }
}

impl Drop for Bench {
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
fn a_token_is_kept_once_it_has_been_tried_and_then_it_is_enough() {
    let bench = Bench::start();
    let login = bench.login(Sandbox::TOKEN, &["--profile", "lab", "--console-url", &bench.url(0)]);
    assert_eq!(code(&login), 0, "{}", err(&login));
    let said = out(&login);
    assert!(said.contains(&format!("profile lab: {} on API 2.1", bench.url(0))), "{said}");
    assert!(said.contains("its token expires 2036-06-01T08:00:00.000000Z"), "{said}");

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

    // The default profile is all that a command needs.
    let threats = bench.run(&["get-threats", "--output", "json"], &[]);
    assert_eq!((code(&threats), err(&threats)), (0, String::new()));

    // A second profile leaves the first one the default, and with a version of its own.
    let second = ["--profile", "old", "--console-url", &bench.url(1), "--api-version", "2.0"];
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &second)), 0);
    let listed = bench.run(&["profiles", "--output", "json"], &[]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let seen: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["name"], one["default"], one["apiVersion"]]))
        .collect();
    assert_eq!(seen, [json!(["lab", true, null]), json!(["old", false, "2.0"])]);
    let table = out(&bench.run(&["profiles"], &[]));
    assert!(
        table.contains("lab") && table.contains(&bench.url(1)) && !table.contains(Sandbox::TOKEN),
        "{table}"
    );
    let dry = bench.run(&["--dry-run", "--profile", "old", "get-threats"], &[]);
    assert!(out(&dry).contains("/web/api/v2.0/threats"), "{}", out(&dry));

    // A profile moves to another console only by an option, and the version of the one before stays behind.
    let moved = ["--profile", "moved", "--api-version", "2.0", "--console-url"];
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &[&moved[..], &[&bench.url(0)]].concat())), 0);
    let to = bench.url(1);
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "moved", "--console-url", &to])), 0);
    let dry = bench.run(&["--dry-run", "--profile", "moved", "get-threats"], &[]);
    assert!(out(&dry).contains("/web/api/v2.1/threats"), "{}", out(&dry));
    assert_eq!(code(&bench.run(&["logout", "--profile", "moved"], &[])), 0);

    // A new token of the same profile: what is missing comes from before, and not from the environment.
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "old"])), 0);
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(config.contains("api-version = \"2.0\"") && config.contains(&bench.url(1)), "{config}");

    assert_eq!(code(&bench.run(&["logout"], &[])), 0, "the default");
    assert!(!token.exists());
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(!config.contains("lab") && config.contains("[profiles.old]"), "{config}");
    let none = bench.run(&["get-threats"], &[]);
    assert!(err(&none).contains("no console: name a profile with --profile (old)"), "{}", err(&none));
}

#[test]
fn when_the_test_fails_nothing_is_written() {
    let bench = Bench::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    let cases = [
        (OTHER, bench.url(0), 1, "does not take the API token"),
        (Sandbox::TOKEN, closed, 1, "nothing answers at"),
        ("a token", bench.url(0), 2, "cannot be sent in a header"),
        ("", bench.url(0), 2, "the API token is empty"),
        (Sandbox::TOKEN, "http://console.example.com".into(), 2, "plain http"),
    ];
    for (token, url, expected, reason) in cases {
        let login = bench.login(token, &["--console-url", &url, "--attempts", "1"]);
        let said = err(&login);
        assert_eq!(code(&login), expected, "{said}");
        assert!(said.contains(reason) && (token.is_empty() || !said.contains(token)), "{said}");
        assert!(!bench.config().parent().unwrap().exists(), "nothing was written: {reason}");
    }
    for (arguments, reason) in [
        (&["login", "--console-url", "https://console.example.com"][..], "--token-stdin"),
        (&["login"], "no console: give --console-url"),
        (&["--sandbox", "login"], "--sandbox does not go with profiles"),
        (&["login", "--profile", "../up"], "is no name of a profile"),
    ] {
        let refused = bench.run(arguments, &[]);
        assert_eq!(code(&refused), 2, "{arguments:?}");
        assert!(err(&refused).contains(reason), "{arguments:?}: {}", err(&refused));
    }
}

#[test]
fn a_failed_login_leaves_what_was_kept_before() {
    let bench = Bench::start();
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--console-url", &bench.url(0)])), 0);
    let before = fs::read_to_string(bench.config()).unwrap();
    assert_eq!(code(&bench.login(OTHER, &[])), 1);
    assert_eq!(fs::read_to_string(bench.config()).unwrap(), before);
    assert_eq!(code(&bench.run(&["get-sites"], &[])), 0);
}

#[test]
fn settings_that_a_person_wrote_keep_their_comments() {
    let bench = Bench::start();
    bench.settings("default = \"one\"");
    assert_eq!(code(&bench.login(Sandbox::TOKEN, &["--profile", "two"])), 0);
    let config = fs::read_to_string(bench.config()).unwrap();
    assert!(config.starts_with("# Kept by hand.\ndefault = \"one\""), "{config}");
    assert!(config.contains("token-file = \"tokens/two.token\""), "{config}");
    assert!(config.contains("\" # without a token\n"), "{config}");
    // A token that login did not write is not its to remove.
    let logout = bench.run(&["logout", "--profile", "one"], &[]);
    assert_eq!(code(&logout), 0);
    assert!(err(&logout).contains("is left"), "{}", err(&logout));
    assert!(bench.config().with_file_name("one.token").exists());
    assert!(fs::read_to_string(bench.config()).unwrap().starts_with("# Kept by hand.\n"));
}

/// Whoever writes the settings has read what the others wrote.
#[test]
fn logins_at_the_same_time_are_all_kept() {
    let bench = Bench::start();
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
    let mut kept: Vec<&str> =
        profiles.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    kept.sort_unstable();
    assert_eq!(kept, names);
    let defaults = profiles.as_array().unwrap().iter().filter(|one| one["default"] == true).count();
    assert_eq!(defaults, 1, "the first one");
}

/// A profile becomes the default when it is the first one, and that is said.
#[test]
fn the_first_profile_becomes_the_default() {
    let bench = Bench::start();
    let url = bench.url(0);
    let login = |name: &str| {
        let login = bench.login(Sandbox::TOKEN, &["--profile", name, "--console-url", &url]);
        assert_eq!(code(&login), 0, "{}", err(&login));
        out(&login).contains("it is the default profile now")
    };
    assert!(login("lab"), "the first");
    assert!(!login("prod") && !login("lab"), "there is one");
    bench.settings("# none");
    assert!(!login("lab") && !login("one"), "somebody chose to have none");
    assert!(!fs::read_to_string(bench.config()).unwrap().contains("default"));
}

#[test]
fn names_that_differ_in_capitals_alone_are_refused() {
    let bench = Bench::start();
    bench.settings("");
    let login = bench.login(Sandbox::TOKEN, &["--profile", "ONE", "--console-url", &bench.url(0)]);
    assert_eq!(code(&login), 2, "{}", err(&login));
    assert!(
        err(&login).contains("there is a profile one, which ONE differs from in capitals"),
        "{}",
        err(&login)
    );
    assert_eq!(bench.asked(0), 0);
}

/// However a profile is written, what stands beside its settings stays there.
#[test]
fn profiles_on_one_line_stay_there() {
    let bench = Bench::start();
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

/// Settings that are a link to a file that is not there yet are written there.
#[cfg(unix)]
#[test]
fn a_link_to_settings_stays_one() {
    let bench = Bench::start();
    fs::create_dir_all(bench.config().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../dotfiles/s1.toml", bench.config()).unwrap();
    for name in ["lab", "prod"] {
        let login = bench.login(Sandbox::TOKEN, &["--profile", name, "--console-url", &bench.url(0)]);
        assert_eq!(code(&login), 0, "{}", err(&login));
    }
    assert!(fs::symlink_metadata(bench.config()).unwrap().is_symlink());
    let written = fs::read_to_string(bench.folder.path().join("dotfiles/s1.toml")).unwrap();
    assert!(written.contains("[profiles.lab]") && written.contains("[profiles.prod]"), "{written}");
}

/// Option before environment before profile; and what belongs together stays together.
#[test]
fn the_nearest_word_on_the_console_counts() {
    let bench = Bench::start();
    bench.settings("default = \"one\"");
    let (one, two) = (bench.url(0), bench.url(1));
    let file = bench.folder.path().join("by-option.token");
    write_private(&file, Sandbox::TOKEN);
    let file = file.to_str().unwrap();
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], usize, &'a str);
    let cases: &[Case<'_>] = &[
        (&[], &[], 0, "the default profile"),
        (&["--profile", "one"], &[], 0, "a profile by option"),
        (&[], &[("S1_PROFILE", "one")], 0, "a profile by environment"),
        (&["--console-url", &one], &[], 0, "the profile's own console has its token"),
        (&[], &[("S1_CONSOLE_URL", &one)], 0, "in the environment too"),
        (
            &[],
            &[("S1_CONSOLE_URL", &two), ("S1_API_TOKEN", Sandbox::TOKEN)],
            1,
            "environment before the default",
        ),
        (
            &[],
            &[("S1_CONSOLE_URL", &two), ("S1_API_TOKEN", Sandbox::TOKEN), ("S1_PROFILE", "one")],
            1,
            "and before a profile of it",
        ),
        (
            &["--profile", "one"],
            &[("S1_CONSOLE_URL", &two), ("S1_API_TOKEN", OTHER)],
            0,
            "an option before the environment",
        ),
        (
            &["--console-url", &two, "--api-token-file", file],
            &[("S1_CONSOLE_URL", &one), ("S1_API_TOKEN", OTHER)],
            1,
            "options before all",
        ),
        (&["--profile", "two", "--api-token-file", file], &[], 1, "a token for a profile that has none"),
        (&["--profile", "two"], &[("S1_API_TOKEN", Sandbox::TOKEN)], 1, "from the environment too"),
    ];
    for (arguments, environment, console, why) in cases {
        let before = [bench.asked(0), bench.asked(1)];
        let output = bench.run(&[&["get-sites"], *arguments].concat(), environment);
        assert_eq!(code(&output), 0, "{why}: {}", err(&output));
        let asked = [bench.asked(0) - before[0], bench.asked(1) - before[1]];
        assert_eq!(asked, if *console == 0 { [1, 0] } else { [0, 1] }, "{why}");
    }
}

/// No token goes to a console that it was not given with.
#[test]
fn a_token_goes_nowhere_else() {
    let bench = Bench::start();
    bench.settings("default = \"one\"");
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
        (&[], &[("S1_API_TOKEN", OTHER)], "nothing says that it is one of"),
        (&["--api-token-file", file], &[], "nothing says that it is one of"),
        (&[], &[("S1_PROFILE", "one"), ("S1_API_TOKEN", OTHER)], "two tokens"),
        (
            &["--profile", "two"],
            &[("S1_CONSOLE_URL", &bench.url(0)), ("S1_API_TOKEN", Sandbox::TOKEN)],
            "is for the console in S1_CONSOLE_URL and is not sent to",
        ),
        (&["--profile", "two"], &[], "no API token"),
        (&["--profile", "two"], &[("S1_API_TOKEN", " ")], "no API token"),
        (&["--sandbox", "--profile", "one"], &[], "--sandbox is a console of its own"),
    ];
    for (arguments, environment, reason) in cases {
        let output = bench.run(&[&["get-sites"], *arguments].concat(), environment);
        let said = err(&output);
        assert_eq!(code(&output), 2, "{arguments:?} {environment:?}: {said}");
        assert!(said.contains(reason), "{arguments:?} {environment:?}: {said}");
        assert!(!said.contains(OTHER) && !said.contains(Sandbox::TOKEN), "{said}");
    }
    assert_eq!([bench.asked(0), bench.asked(1)], [0, 0], "nothing was sent to anyone");
}

/// What the environment has and nobody can read is not passed over.
#[cfg(unix)]
#[test]
fn variables_that_cannot_be_read_are_an_error() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::start();
    bench.settings("default = \"one\"");
    for name in ["S1_PROFILE", "S1_CONSOLE_URL", "S1_API_TOKEN"] {
        let mut command = bench.s1(&["get-sites"]);
        let output = command.env(name, std::ffi::OsStr::from_bytes(b"one\xff")).output().unwrap();
        assert_eq!(code(&output), 2, "{name}");
        assert!(err(&output).contains(&format!("{name} is no UTF-8")), "{}", err(&output));
    }
    let empty =
        bench.run(&["get-sites"], &[("S1_PROFILE", ""), ("S1_CONSOLE_URL", ""), ("S1_API_TOKEN", "")]);
    assert_eq!(code(&empty), 0, "{}", err(&empty));
    assert_eq!((bench.asked(0), bench.asked(1)), (1, 0));
}

#[test]
fn settings_that_do_not_fit_are_told_without_what_is_in_them() {
    let bench = Bench::start();
    let secret = "eyJ-in-clear-of-the-tests";
    let profile = |line: &str| format!("[profiles.prod]\nconsole = \"console.example.com\"\n{line}\n");
    let cases = [
        (profile(&format!("token = \"{secret}\"")), "never a token itself"),
        (profile(&format!("token = {secret}")), "line 3 is no TOML"),
        (profile(&format!("token-fil = \"{secret}\"")), "did you mean token-file?"),
        (profile(&format!("token-file = [\"{secret}\"]")), "token-file is no text"),
        (profile(&format!("token-file = \"{secret}\"")), "never a token itself"),
        (profile(&format!("token-file = \"ApiToken {secret}\"")), "never a token itself"),
        (profile(&format!("token-file = \"{secret}{}\"", "x".repeat(64))), "never a token itself"),
        (profile("token-file = \"a\"\ntoken = \"keyring\""), "exclude each other"),
        (profile("api-version = \"2.2\""), "api-version is neither 2.0 nor 2.1"),
        ("[profiles.prod]\ntoken-file = \"a\"\n".to_owned(), "console is missing"),
        ("[profiles.prod]\nconsole = \"http://console.example.com\"\n".to_owned(), "plain http"),
        (format!("defalt = \"{secret}\"\n"), "did you mean default?"),
        ("profiles = 1\n".to_owned(), "profiles is no table"),
    ];
    for (text, reason) in cases {
        bench.write(&text);
        let output = bench.run(&["get-threats", "--profile", "prod"], &[]);
        let said = err(&output);
        assert_eq!(code(&output), 2, "{text}: {said}");
        assert!(
            said.contains(reason) && said.contains("config.toml") && !said.contains(secret),
            "{text}: {said}"
        );
    }
    // Not every token looks like one.
    bench.write(&profile("token-file = \"of-the-tests\""));
    for arguments in
        [&["get-threats", "--profile", "prod"][..], &["profiles"], &["logout", "--profile", "prod"]]
    {
        let output = bench.run(arguments, &[]);
        let said = out(&output) + &err(&output);
        assert!(said.contains("prod") && !said.contains("of-the-tests"), "{arguments:?}: {said}");
        let reason = "profile prod: the file that token-file names cannot be read";
        assert_eq!(code(&output) == 2, said.contains(reason), "{arguments:?}: {said}");
    }
    bench.settings("");
    let missing = bench.run(&["get-threats", "--profile", "oen"], &[]);
    assert!(
        err(&missing).contains("there is no profile \"oen\"; there are one, two\n  did you mean one?"),
        "{}",
        err(&missing)
    );
    let complete = [("S1_CONSOLE_URL", bench.url(0)), ("S1_API_TOKEN", Sandbox::TOKEN.to_owned())];
    bench.write("not toml at all");
    let unread = bench.s1(&["get-sites"]).envs(complete).output().unwrap();
    assert_eq!(code(&unread), 0, "who names console and token needs no settings: {}", err(&unread));
}

#[cfg(unix)]
#[test]
fn a_token_that_others_can_read_is_warned_of() {
    let bench = Bench::start();
    bench.settings("default = \"one\"");
    let file = bench.config().with_file_name("one.token");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let output = bench.run(&["get-sites"], &[]);
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("warning: others can read the token in"), "{}", err(&output));
    let quiet = bench.run(&["get-sites", "--log", "off"], &[]);
    assert_eq!((code(&quiet), err(&quiet)), (0, String::new()));
}

/// Where no keyring answers, that is said, and nothing is kept elsewhere instead.
#[cfg(target_os = "linux")]
#[test]
fn a_keyring_that_is_not_there_is_an_error() {
    let bench = Bench::start();
    let login = bench.login(Sandbox::TOKEN, &["--console-url", &bench.url(0), "--token-in", "keyring"]);
    assert_eq!(code(&login), 1, "{}", err(&login));
    assert!(err(&login).contains("the keyring gives no token"), "{}", err(&login));
    assert!(!bench.config().exists());
    bench.write(&format!(
        "default = \"k\"\n[profiles.k]\nconsole = \"{}\"\ntoken = \"keyring\"\n",
        bench.url(0)
    ));
    let output = bench.run(&["get-sites"], &[]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("--token-in file"), "{}", err(&output));

    // Nobody is kept by it: another place takes the token, and the profile can be removed.
    let warning = "its token for http://127.0.0.1";
    let moved = bench.login(Sandbox::TOKEN, &["--profile", "k"]);
    assert_eq!(code(&moved), 0, "{}", err(&moved));
    assert!(err(&moved).contains("warning: the token from before is left") && err(&moved).contains(warning));
    assert_eq!(code(&bench.run(&["get-sites"], &[])), 0);
    bench.write(&format!("[profiles.k]\nconsole = \"{}\"\ntoken = \"keyring\"\n", bench.url(0)));
    let logout = bench.run(&["logout", "--profile", "k"], &[]);
    assert_eq!((code(&logout), out(&logout).as_str()), (0, "profile k is removed\n"), "{}", err(&logout));
    assert!(err(&logout).contains(warning) && err(&logout).contains("may still be in the keyring"));
    assert!(!fs::read_to_string(bench.config()).unwrap().contains("profiles.k"));
}
