//! What happens at a terminal: questions, and being interrupted.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use sentinelone::sandbox::Sandbox;

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

    fn s1(&self, arguments: &[&str]) -> PtySession {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s1"));
        command.args(arguments);
        command.env("S1_CONSOLE_URL", self.sandbox.as_ref().unwrap().url());
        command.env("S1_API_TOKEN", Sandbox::TOKEN);
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
