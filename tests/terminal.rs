//! What happens at a terminal: questions, and being interrupted.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use sentinelone::sandbox::Sandbox;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A sandbox that lasts for a test, and the command line beside it at a terminal.
struct Console {
    runtime: tokio::runtime::Runtime,
    sandbox: Option<Sandbox>,
}

impl Console {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sandbox = Some(runtime.block_on(Sandbox::start()).unwrap());
        Self { runtime, sandbox }
    }

    fn url(&self) -> String {
        self.sandbox.as_ref().unwrap().url()
    }

    fn s1(&self, arguments: &[&str]) -> PtySession {
        let mut command = s1(arguments);
        command.env("S1_CONSOLE_URL", self.url()).env("S1_API_TOKEN", Sandbox::TOKEN);
        spawn_command(command, Some(20_000)).unwrap()
    }

    /// Paths of the requests that changed something, in order.
    fn actions(&self) -> Vec<String> {
        let exchanges = self.sandbox.as_ref().unwrap().exchanges();
        exchanges.into_iter().filter(|one| one.method != "GET").map(|one| one.path).collect()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.stop());
        }
    }
}

/// The command line in an environment in which a terminal takes colours, and without anybody's own profiles.
fn s1(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
    for name in
        ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "S1_PROFILE", "S1_CONSOLE_URL", "S1_API_TOKEN"]
    {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").env("S1_CONFIG", "/nonexistent/s1/config.toml").args(arguments);
    command
}

/// The same, at a terminal that is set up otherwise.
fn s1_after(stty: &str, arguments: &[&str]) -> Command {
    let program = s1(arguments);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("stty {stty}; exec \"$0\" \"$@\"")).arg(program.get_program());
    command.args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Everything that a command writes to a terminal.
fn written(command: Command) -> String {
    let bytes = spawn_command(command, Some(20_000)).unwrap().exp_eof().unwrap();
    // They come as a character for every byte.
    let bytes = bytes.chars().map(|byte| u8::try_from(byte).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

/// How many times a style is set.
fn styles(text: &str) -> usize {
    let ends =
        |rest: &str| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m');
    text.split("\u{1b}[").skip(1).filter(|rest| ends(rest)).count()
}

fn code(session: &PtySession) -> i32 {
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_destructive_action_tells_how_many_it_is_about_and_takes_nothing_else_than_yes() {
    let console = Console::start();
    // All agents of the group of the web servers: the console counts them.
    let shutdown = ["shutdown-agent", "--group-id", "430000000000000002"];
    for (answer, expected) in [("", 2), ("n", 2), ("yess", 2), ("y", 0)] {
        assert!(console.actions().is_empty(), "nothing was sent before a yes");
        let mut session = console.s1(&shutdown);
        session.exp_string("/web/api/v2.1/agents/actions/shutdown on 2 things. Go on? [y/N]").unwrap();
        session.send_line(answer).unwrap();
        let rest = session.exp_eof().unwrap();
        assert_eq!(code(&session), expected, "{answer:?}: {rest}");
    }
    assert_eq!(console.actions(), ["/web/api/v2.1/agents/actions/shutdown"]);
}

#[test]
fn what_an_action_finds_cannot_be_counted_and_is_asked_about_all_the_same() {
    let console = Console::start();
    let remove = ["remove-item-from-whitelist", "--item", "3395856ce81f2b7382dee72602f798b642f14140"];
    let mut session = console.s1(&remove);
    session.exp_string("on what it finds. Go on? [y/N]").unwrap();
    session.send_line("n").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(code(&session), 2);
    assert!(console.actions().is_empty());
}

#[test]
fn an_interrupted_wait_says_how_to_take_it_up_again() {
    let console = Console::start();
    let period = ["--query", "x", "--from-date", "2 days", "--to-date", "1 day", "--interval", "60"];
    let mut session = console.s1(&[&["get-power-query-results"], &period[..]].concat());
    let (_, started) = session.exp_regex("--query-id pq[0-9]+ takes it up again").unwrap();
    let id = started.split_whitespace().nth(1).unwrap().to_owned();
    session.exp_string("next look in 60 s").unwrap();
    session.send_control('c').unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(
        rest.contains(&format!(
            "interrupted; what was started goes on; take it up again with --query-id {id}"
        )),
        "{rest}"
    );
    assert_eq!(code(&session), 1);

    // Which really takes it up.
    let again = [&["get-power-query-results", "--query-id", &id, "--interval", "1"], &period[..6]].concat();
    let mut session = console.s1(&again);
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("2 found"), "{rest}");
    assert_eq!(code(&session), 0);
    assert_eq!(console.actions(), ["/web/api/v2.1/dv/events/pq"], "one query was started");
}

#[test]
fn colours_are_for_terminals_that_take_them() {
    let action = [
        "--sandbox",
        "update-threats-status",
        "--threat-ids",
        "460000000000000011,1",
        "--status",
        "resolved",
    ];
    let table = written(s1(&action));
    assert!(table.contains("\u{1b}[38;5;10m done") || table.contains("\u{1b}[32m"), "{table:?}");
    for arguments in [&action[..], &["--help"], &["unheard-of"], &["--sandbox", "--log", "info", "get-sites"]]
    {
        assert!(styles(&written(s1(arguments))) > 1, "{arguments:?}");
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let mut command = s1(arguments);
            command.env(name, value);
            let plain = written(command);
            assert_eq!(styles(&plain), 0, "{name}={value} {arguments:?}: {plain:?}");
        }
    }
    let mut command = s1(&action);
    command.env("NO_COLOR", "");
    assert!(styles(&written(command)) > 1, "one that is empty is not set");
}

#[test]
fn tables_fit_the_window() {
    for columns in [60, 100] {
        let window = format!("cols {columns} rows 40");
        let mut command = s1_after(&window, &["--sandbox", "get-threats", "--limit", "3"]);
        command.env("NO_COLOR", "1").env_remove("COLUMNS");
        let table = written(command);
        let widest = table.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(widest <= columns && widest > columns / 2, "{widest} of {columns}: {table}");
        assert!(table.contains("│ 460000000000000012 ┆"), "what is copied is whole: {table}");
    }
}

/// What takes longer than a second says what it waits for, and takes that away again.
#[test]
fn a_call_that_takes_its_time_says_so() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(async {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(200)
            .set_body_json(serde_json::json!({ "data": [{ "id": "1" }], "pagination": { "totalItems": 1 } }))
            .set_delay(Duration::from_millis(2_500));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    });
    let mut command = s1(&["get-threats"]);
    command.env("S1_CONSOLE_URL", slow.uri()).env("S1_API_TOKEN", "token-of-the-test");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string(&format!("get-threats: waiting for {}", slow.uri())).unwrap();
    let rest = session.exp_eof().unwrap();
    let (_, after) = rest.rsplit_once("\u{1b}[2K").unwrap();
    assert!(after.contains("1 found") && !after.contains("waiting for"), "{rest:?}");

    // Nobody waits for what is there at once, and nobody looks where there is no terminal.
    let quick = written(s1(&["--sandbox", "get-sites"]));
    assert!(!quick.contains("waiting for"), "{quick:?}");
    let mut piped = s1(&["get-threats"]);
    piped.env("S1_CONSOLE_URL", slow.uri()).env("S1_API_TOKEN", "token-of-the-test");
    assert_eq!(piped.output().unwrap().stderr, b"");
}

/// Lists of five pages with two things each, every page after a while.
async fn slow_pages() -> MockServer {
    let server = MockServer::start().await;
    let page = |request: &Request| {
        let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor");
        let number: u32 = cursor.map_or(0, |(_, value)| value.parse().unwrap());
        let next = (number < 4).then(|| (number + 1).to_string());
        let data = serde_json::json!([{ "id": format!("{number}0") }, { "id": format!("{number}1") }]);
        ResponseTemplate::new(200)
            .set_body_json(serde_json::json!({ "data": data, "pagination": { "nextCursor": next } }))
            .set_delay(Duration::from_millis(600))
    };
    Mock::given(any()).respond_with(page).mount(&server).await;
    server
}

/// All things of slow pages, in a format.
fn all_of(slow: &MockServer, format: &str) -> PtySession {
    let mut command = s1(&["get-threats", "--all", "--output", format]);
    command.env("S1_CONSOLE_URL", slow.uri()).env("S1_API_TOKEN", "token-of-the-test");
    spawn_command(command, Some(20_000)).unwrap()
}

/// A list of several pages says how far it is.
#[test]
fn a_list_that_takes_its_time_counts() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(slow_pages());
    for (format, last) in [("table", "10 found"), ("ndjson", "{\"id\":\"41\"}")] {
        let mut session = all_of(&slow, format);
        session.exp_string("6 read so far").unwrap();
        let rest = session.exp_eof().unwrap();
        let (_, left) = rest.rsplit_once("\u{1b}[2K").unwrap();
        assert!(rest.contains(last) && !left.contains("read so far"), "{format}: {rest:?}");
    }
}

/// What was written before somebody left is a part; what was only read is nothing.
#[test]
fn a_list_that_is_interrupted_is_a_part_where_it_was_written() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(slow_pages());
    for (format, said, expected) in [
        ("ndjson", "error: interrupted; the list is written as far as it came", 3),
        ("table", "error: interrupted; nothing was changed", 1),
    ] {
        let mut session = all_of(&slow, format);
        session.exp_string("4 read so far").unwrap();
        session.send("\u{3}").unwrap();
        session.flush().unwrap();
        let rest = session.exp_eof().unwrap();
        assert!(rest.contains(said), "{format}: {rest:?}");
        assert_eq!(code(&session), expected, "{format}");
    }
}

/// Whether a terminal shows what is typed.
fn shows(session: &PtySession) -> bool {
    let terminal = session.process().get_file_handle().unwrap();
    let settings = Command::new("stty").arg("-a").stdin(terminal).output().unwrap();
    let settings = String::from_utf8(settings.stdout).unwrap();
    let one = settings.split_whitespace().find(|one| one.trim_start_matches('-') == "echo");
    one.unwrap_or_else(|| panic!("{settings}")) == "echo"
}

/// What is typed before that would be seen.
fn wait_until_hidden(session: &PtySession) {
    let begun = Instant::now();
    while shows(session) {
        assert!(begun.elapsed() < Duration::from_secs(20), "the token would be shown");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Who leaves at the question for the token finds the terminal as it was.
#[test]
fn a_login_that_is_interrupted_leaves_the_terminal_as_it_was() {
    let console = Console::start();
    let folder = tempfile::tempdir().unwrap();
    let mut command = s1_after("echo", &["login", "--console-url", &console.url()]);
    command.env("S1_CONFIG", folder.path().join("s1/config.toml"));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("(not shown): ").unwrap();
    wait_until_hidden(&session);
    session.send("\u{3}").unwrap();
    session.flush().unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("interrupted; nothing was written"), "{rest}");
    assert_eq!(code(&session), 1);
    assert!(shows(&session));
    assert!(!folder.path().join("s1").exists());
}

/// Who leaves before all of the test is over has no profile.
#[test]
fn a_login_that_is_interrupted_while_it_asks_keeps_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(async {
        let server = MockServer::start().await;
        let answer = |request: &Request| {
            let list = ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "data": [], "pagination": { "totalItems": 0 } }));
            // What is asked of the token comes second.
            if request.url.path().ends_with("/threats") {
                list
            } else {
                list.set_delay(Duration::from_secs(15))
            }
        };
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = s1(&["login", "--token-stdin", "--console-url", &slow.uri()]);
    command.env("S1_CONFIG", folder.path().join("s1/config.toml"));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    // What is read from a terminal is not shown there.
    session.exp_string("(not shown): ").unwrap();
    wait_until_hidden(&session);
    session.send_line("token-of-the-test").unwrap();
    session.exp_string("trying the connection").unwrap();
    assert_eq!(runtime.block_on(slow.received_requests()).unwrap().len(), 2);
    session.send("\u{3}").unwrap();
    session.flush().unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("interrupted; nothing was written") && !rest.contains("of-the-test"), "{rest}");
    assert_eq!(code(&session), 1);
    assert!(!folder.path().join("s1").exists());
}

/// What is missing is asked for; a token that is typed is not shown.
#[test]
fn login_asks_for_what_is_missing() {
    let console = Console::start();
    let folder = tempfile::tempdir().unwrap();
    let mut command = s1_after("echo", &["login", "--profile", "lab"]);
    command.env("S1_CONFIG", folder.path().join("config.toml"));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("Address of the console").unwrap();
    assert!(shows(&session), "an address is no secret");
    session.send_line(&console.url()).unwrap();
    session.exp_string(&format!("API token of {} (not shown): ", console.url())).unwrap();
    wait_until_hidden(&session);
    session.send_line(Sandbox::TOKEN).unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("profile lab: ") && !rest.contains(Sandbox::TOKEN), "{rest}");
    assert_eq!(code(&session), 0);
    let kept = std::fs::read_to_string(folder.path().join("tokens/lab.token")).unwrap();
    assert_eq!(kept, Sandbox::TOKEN);
}
