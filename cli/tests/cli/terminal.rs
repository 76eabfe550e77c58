//! `s1` at a terminal: prompts, interrupts, progress and colors.

use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use sentinelone_sandbox::Sandbox;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A sandbox for one test.
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

    /// Returns the paths of the requests other than GET, in order.
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

/// Returns a command in an environment with colors and without the profiles of the user.
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

/// Returns a command that runs after `stty` has changed the terminal.
fn s1_after_stty(stty: &str, arguments: &[&str]) -> Command {
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

/// Returns all output of a command at a terminal.
fn terminal_output(command: Command) -> String {
    let bytes = spawn_command(command, Some(20_000)).unwrap().exp_eof().unwrap();
    // Each byte is a character.
    let bytes = bytes.chars().map(|byte| u8::try_from(byte).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

/// Counts the style changes.
fn count_styles(text: &str) -> usize {
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
fn prompt_shows_item_count_and_accepts_only_yes() {
    let console = Console::start();
    // The group of the web servers. The console counts its agents.
    let shutdown = ["shutdown-agent", "--group-id", "430000000000000002"];
    for (answer, expected) in [("", 2), ("n", 2), ("yess", 2), ("y", 0)] {
        assert!(console.actions().is_empty(), "no action before the confirmation");
        let mut session = console.s1(&shutdown);
        session.exp_string("/web/api/v2.1/agents/actions/shutdown on 2 items. Continue? [y/N]").unwrap();
        session.send_line(answer).unwrap();
        let rest = session.exp_eof().unwrap();
        assert_eq!(code(&session), expected, "{answer:?}: {rest}");
    }
    assert_eq!(console.actions(), ["/web/api/v2.1/agents/actions/shutdown"]);
}

#[test]
fn prompt_with_journal_shows_remaining_ids() {
    let console = Console::start();
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("scan.journal").display().to_string();
    let scan = |ids: &'static str| ["initiate-endpoint-scan", "--agent-ids", ids, "--journal", &journal];
    let mut session = console.s1(&[&scan("440000000000000001,440000000000000002")[..], &["--yes"]].concat());
    session.exp_eof().unwrap();
    assert_eq!(code(&session), 0);
    let mut session = console.s1(&scan("440000000000000001,440000000000000002,440000000000000003"));
    session.exp_string("on 1 of 3 items, the others have an outcome in").unwrap();
    session.send_line("y").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(code(&session), 0);
    assert_eq!(console.actions(), ["/web/api/v2.1/agents/actions/initiate-scan"; 2]);
}

#[test]
fn prompt_is_required_without_item_count() {
    let console = Console::start();
    let remove = ["remove-item-from-whitelist", "--item", "3395856ce81f2b7382dee72602f798b642f14140"];
    let mut session = console.s1(&remove);
    session.exp_string("on an unknown number of items. Continue? [y/N]").unwrap();
    session.send_line("n").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(code(&session), 2);
    assert!(console.actions().is_empty());
}

#[test]
fn prompt_with_verification_code_names_the_action() {
    let console = Console::start();
    let script = "run-remote-script --account-ids 410000000000000001 --agent-ids 440000000000000001 --script-id \
                  490000000000000001 --output-destination SentinelCloud --task-description Inventory \
                  --protected-actions-code 604213";
    let mut session = console.s1(&script.split_whitespace().collect::<Vec<_>>());
    session.exp_string("/web/api/v2.1/remote-scripts/execute on 1 item. Continue? [y/N]").unwrap();
    session.send_line("n").unwrap();
    session.exp_eof().unwrap();
    assert_eq!(code(&session), 2);
    assert!(console.actions().is_empty(), "the code is not sent without a confirmation");
}

#[test]
fn interrupted_poll_prints_resume_hint() {
    let console = Console::start();
    let period = ["--query", "x", "--from-date", "2 days", "--to-date", "1 day", "--interval", "60"];
    let mut session = console.s1(&[&["get-power-query-results"], &period[..]].concat());
    // The white space ends the ID.
    let (_, started) = session.exp_regex(r"started; resume with --query-id pq[0-9]+\s").unwrap();
    let id = started.split_whitespace().last().unwrap().to_owned();
    session.exp_string("next poll in 60 s").unwrap();
    session.send_control('c').unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(
        rest.contains(&format!("interrupted; the job continues; resume it with --query-id {id}")),
        "{rest}"
    );
    assert_eq!(code(&session), 1);

    // The option resumes the job.
    let resume = [&["get-power-query-results", "--query-id", &id, "--interval", "1"], &period[..6]].concat();
    let mut session = console.s1(&resume);
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("2 found"), "{rest}");
    assert_eq!(code(&session), 0);
    assert_eq!(console.actions(), ["/web/api/v2.1/dv/events/pq"], "one query was started");
}

/// An operation that ends is named once at a terminal, and never elsewhere.
#[test]
fn announced_end_is_reported_once_at_a_terminal() {
    let console = Console::start();
    let period = ["--query", "x", "--from-date", "2 days", "--to-date", "1 day", "--interval", "1"];
    let arguments = [&["get-power-query-results"], &period[..]].concat();
    let (dv, lrq) = (vec![], vec!["--engine", "lrq"]);
    for (engine, count) in [(dv, 1), (lrq, 0)] {
        let arguments = [&arguments[..], &engine].concat();
        let output = console.s1(&arguments).exp_eof().unwrap();
        assert_eq!(output.matches("ends on 2027-02-15").count(), count, "{output}");
        let mut command = s1(&arguments);
        command.env("S1_CONSOLE_URL", console.url()).env("S1_API_TOKEN", Sandbox::TOKEN);
        let output = command.output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stderr).contains("2027"), "{output:?}");
    }
}

#[test]
fn colors_depend_on_terminal_and_environment() {
    let action = [
        "--sandbox",
        "update-threats-status",
        "--threat-ids",
        "460000000000000011,1",
        "--status",
        "resolved",
    ];
    let table = terminal_output(s1(&action));
    assert!(table.contains("\u{1b}[38;5;10m done") || table.contains("\u{1b}[32m"), "{table:?}");
    for arguments in
        [&action[..], &["--help"], &["unheard-of"], &["--sandbox", "--log-level", "info", "get-sites"]]
    {
        assert!(count_styles(&terminal_output(s1(arguments))) > 1, "{arguments:?}");
        for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let mut command = s1(arguments);
            command.env(name, value);
            let plain = terminal_output(command);
            assert_eq!(count_styles(&plain), 0, "{name}={value} {arguments:?}: {plain:?}");
        }
    }
    let mut command = s1(&action);
    command.env("NO_COLOR", "");
    assert!(count_styles(&terminal_output(command)) > 1, "an empty variable counts as unset");
}

#[test]
fn table_fits_terminal_width() {
    for columns in [60, 100] {
        let size = format!("cols {columns} rows 40");
        let mut command = s1_after_stty(&size, &["--sandbox", "get-threats", "--limit", "3"]);
        command.env("NO_COLOR", "1").env_remove("COLUMNS");
        let table = terminal_output(command);
        let widest = table.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(widest <= columns && widest > columns / 2, "{widest} of {columns}: {table}");
        assert!(table.contains("│ 460000000000000012 ┆"), "the ID is not wrapped: {table}");
    }
}

/// The line appears after a second, and is removed before the output.
#[test]
fn progress_line_appears_for_slow_call() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(async {
        let server = MockServer::start().await;
        let response = ResponseTemplate::new(200)
            .set_body_json(serde_json::json!({ "data": [{ "id": "1" }], "pagination": { "totalItems": 1 } }))
            .set_delay(Duration::from_millis(2_500));
        Mock::given(any()).respond_with(response).mount(&server).await;
        server
    });
    let mut command = s1(&["get-threats"]);
    command.env("S1_CONSOLE_URL", slow.uri()).env("S1_API_TOKEN", "token-of-the-test");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string(&format!("get-threats: waiting for {}", slow.uri())).unwrap();
    let rest = session.exp_eof().unwrap();
    let (_, after) = rest.rsplit_once("\u{1b}[2K").unwrap();
    assert!(after.contains("1 found") && !after.contains("waiting for"), "{rest:?}");

    // A fast call and a pipe have no line.
    let quick = terminal_output(s1(&["--sandbox", "get-sites"]));
    assert!(!quick.contains("waiting for"), "{quick:?}");
    let mut piped = s1(&["get-threats"]);
    piped.env("S1_CONSOLE_URL", slow.uri()).env("S1_API_TOKEN", "token-of-the-test");
    assert_eq!(piped.output().unwrap().stderr, b"");
}

/// A console with a list of five pages of two items, and a delay per page.
async fn slow_pages(delay: Duration) -> MockServer {
    let server = MockServer::start().await;
    let page = move |request: &Request| {
        let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor");
        let number: u32 = cursor.map_or(0, |(_, value)| value.parse().unwrap());
        let next = (number < 4).then(|| (number + 1).to_string());
        let data = serde_json::json!([{ "id": format!("{number}0") }, { "id": format!("{number}1") }]);
        ResponseTemplate::new(200)
            .set_body_json(serde_json::json!({ "data": data, "pagination": { "nextCursor": next } }))
            .set_delay(delay)
    };
    Mock::given(any()).respond_with(page).mount(&server).await;
    server
}

/// Reads all pages in a format.
fn read_all(slow: &MockServer, format: &str) -> PtySession {
    let mut command = s1(&["get-threats", "--all", "--output", format]);
    command.env("S1_CONSOLE_URL", slow.uri()).env("S1_API_TOKEN", "token-of-the-test");
    spawn_command(command, Some(20_000)).unwrap()
}

#[test]
fn progress_line_counts_items() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(slow_pages(Duration::from_millis(600)));
    for (format, last) in [("table", "10 found"), ("ndjson", "{\"id\":\"41\"}")] {
        let mut session = read_all(&slow, format);
        session.exp_string("6 items read").unwrap();
        let rest = session.exp_eof().unwrap();
        let (_, after) = rest.rsplit_once("\u{1b}[2K").unwrap();
        assert!(rest.contains(last) && !after.contains("items read"), "{format}: {rest:?}");
    }
}

/// What was written is valid.
#[test]
fn interrupted_list_is_closed_and_exits_3() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(slow_pages(Duration::from_millis(600)));
    for (format, end) in [("ndjson", "{\"id\":\"11\"}"), ("table", "└────┘"), ("json", "  ]\r\n}")]
    {
        let mut session = read_all(&slow, format);
        session.exp_string("4 items read").unwrap();
        session.send("\u{3}").unwrap();
        session.flush().unwrap();
        let rest = session.exp_eof().unwrap();
        // The session decodes each byte as a character.
        let end: String = end.bytes().map(char::from).collect();
        let (_, last) = rest.split_once(&end).unwrap_or_else(|| panic!("{format}: {rest:?}"));
        assert!(last.contains("error: interrupted; the list is incomplete"), "{format}: {rest:?}");
        assert_eq!(code(&session), 3, "{format}");
    }
}

/// Without items nothing is written.
#[test]
fn list_interrupted_before_its_first_page_exits_1() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(slow_pages(Duration::from_secs(15)));
    for format in ["ndjson", "table", "json"] {
        let mut session = read_all(&slow, format);
        session.exp_string("waiting for").unwrap();
        session.send("\u{3}").unwrap();
        session.flush().unwrap();
        let rest = session.exp_eof().unwrap();
        assert!(rest.contains("error: interrupted; the console was not changed"), "{format}: {rest:?}");
        assert_eq!(code(&session), 1, "{format}");
    }
}

/// Returns whether a terminal echoes the input.
fn has_echo(session: &PtySession) -> bool {
    let terminal = session.process().get_file_handle().unwrap();
    let settings = Command::new("stty").arg("-a").stdin(terminal).output().unwrap();
    let settings = String::from_utf8(settings.stdout).unwrap();
    let one = settings.split_whitespace().find(|one| one.trim_start_matches('-') == "echo");
    one.unwrap_or_else(|| panic!("{settings}")) == "echo"
}

/// Waits until the echo is off.
fn wait_for_hidden_prompt(session: &PtySession) {
    let started = Instant::now();
    while has_echo(session) {
        assert!(started.elapsed() < Duration::from_secs(20), "the terminal echoes the token");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn interrupted_login_prompt_restores_echo() {
    let console = Console::start();
    let dir = tempfile::tempdir().unwrap();
    let mut command = s1_after_stty("echo", &["login", "--console-url", &console.url()]);
    command.env("S1_CONFIG", dir.path().join("s1/config.toml"));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("(hidden): ").unwrap();
    wait_for_hidden_prompt(&session);
    session.send("\u{3}").unwrap();
    session.flush().unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("interrupted; no profile was written"), "{rest}");
    assert_eq!(code(&session), 1);
    assert!(has_echo(&session));
    assert!(!dir.path().join("s1").exists());
}

#[test]
fn interrupted_login_test_stores_no_profile() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let slow = runtime.block_on(async {
        let server = MockServer::start().await;
        let response = |request: &Request| {
            let list = ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "data": [], "pagination": { "totalItems": 0 } }));
            // The second request reads the details of the token.
            if request.url.path().ends_with("/threats") {
                list
            } else {
                list.set_delay(Duration::from_secs(15))
            }
        };
        Mock::given(any()).respond_with(response).mount(&server).await;
        server
    });
    let dir = tempfile::tempdir().unwrap();
    let mut command = s1(&["login", "--token-stdin", "--console-url", &slow.uri()]);
    command.env("S1_CONFIG", dir.path().join("s1/config.toml"));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    // The token is hidden, also with --token-stdin at a terminal.
    session.exp_string("(hidden): ").unwrap();
    wait_for_hidden_prompt(&session);
    session.send_line("token-of-the-test").unwrap();
    session.exp_string("testing the connection").unwrap();
    assert_eq!(runtime.block_on(slow.received_requests()).unwrap().len(), 2);
    session.send("\u{3}").unwrap();
    session.flush().unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("interrupted; no profile was written") && !rest.contains("of-the-test"), "{rest}");
    assert_eq!(code(&session), 1);
    assert!(!dir.path().join("s1").exists());
}

#[test]
fn login_prompts_for_url_and_token() {
    let console = Console::start();
    let dir = tempfile::tempdir().unwrap();
    let mut command = s1_after_stty("echo", &["login", "--profile", "lab"]);
    command.env("S1_CONFIG", dir.path().join("config.toml"));
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("Console URL (for example ").unwrap();
    assert!(has_echo(&session), "the URL is not a secret");
    session.send_line(&console.url()).unwrap();
    session.exp_string(&format!("API token of {} (hidden): ", console.url())).unwrap();
    wait_for_hidden_prompt(&session);
    session.send_line(Sandbox::TOKEN).unwrap();
    let rest = session.exp_eof().unwrap();
    assert!(rest.contains("profile lab: ") && !rest.contains(Sandbox::TOKEN), "{rest}");
    assert_eq!(code(&session), 0);
    let stored = std::fs::read_to_string(dir.path().join("tokens/lab.token")).unwrap();
    assert_eq!(stored, Sandbox::TOKEN);
}
