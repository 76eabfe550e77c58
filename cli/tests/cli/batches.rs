//! Actions on many IDs: batches, journals, interruptions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

/// A console that adds notes and lists them. It changes one batch at a time.
#[derive(Clone, Default)]
struct NoteConsole(Arc<Mutex<Notes>>);

#[derive(Default)]
struct Notes {
    /// Number of notes of each threat.
    notes: BTreeMap<String, u32>,
    /// Number of batches so far.
    batches: usize,
    reads: usize,
    /// Batches whose response is lost, after the effect.
    lost: Vec<usize>,
    delay: Duration,
}

impl Respond for NoteConsole {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut console = self.0.lock().unwrap();
        if request.method.as_str() == "GET" {
            console.reads += 1;
            let id = request.url.path().rsplit('/').nth(1).unwrap();
            let count = console.notes.get(id).copied().unwrap_or_default();
            let notes: Vec<_> = (0..count).map(|_| json!({ "text": "Checked" })).collect();
            return ResponseTemplate::new(200).set_body_json(json!({ "data": notes }));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let ids: Vec<String> = serde_json::from_value(body["filter"]["ids"].clone()).unwrap();
        for id in &ids {
            *console.notes.entry(id.clone()).or_default() += 1;
        }
        console.batches += 1;
        let batch = console.batches;
        if console.lost.contains(&batch) {
            return ResponseTemplate::new(500);
        }
        let body = json!({ "data": { "affected": ids.len() } });
        ResponseTemplate::new(200).set_body_json(body).set_delay(console.delay)
    }
}

impl NoteConsole {
    async fn start(&self) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        server
    }

    /// Returns the number of batches and of reads.
    fn counts(&self) -> (usize, usize) {
        let console = self.state();
        (console.batches, console.reads)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.0.lock().unwrap()
    }
}

/// Writes IDs to a file, and returns the command that adds a note to each of them, with a journal.
fn command_line(dir: &Path, count: usize) -> Vec<String> {
    let ids: String = (0..count).map(|id| format!("{id}\n")).collect();
    std::fs::write(dir.join("ids.txt"), ids).unwrap();
    let file = |name: &str| dir.join(name).display().to_string();
    let (ids, journal) = (format!("@{}", file("ids.txt")), file("journal"));
    let line = ["write-threat-note", "--note", "Checked", "--threat-ids", &ids, "--journal", &journal];
    line.into_iter().chain(["--batch-size", "20", "--output", "ndjson"]).map(str::to_owned).collect()
}

fn command(server: &MockServer, line: &[String]) -> Command {
    s1_on(server, &line.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Returns the IDs and states of the output.
fn states(output: &Output) -> Vec<(usize, String)> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = |line: &str| {
        let result: Value = serde_json::from_str(line).unwrap();
        (result["id"].as_str().unwrap().parse().unwrap(), result["state"].as_str().unwrap().to_owned())
    };
    text.lines().map(line).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn journal_resumes_after_lost_response() {
    let dir = tempfile::tempdir().unwrap();
    let console = NoteConsole::default();
    console.state().lost = vec![3];
    let server = console.start().await;
    let mut line = command_line(dir.path(), 300);
    line.extend(["--in-flight".to_owned(), "1".to_owned()]);
    let first = command(&server, &line).output().unwrap();
    let message = stderr(&first);
    assert_eq!(first.status.code(), Some(3), "{message}");
    assert!(message.contains("40 of 300 IDs succeeded, 20 unknown"), "{message}");
    assert!(message.contains("help: the same command resumes") && message.contains("s1 write-threat-note"));
    assert!(!message.contains("token-of-the-test"), "{message}");
    let states_of = |from, to, state: &str| (from..to).map(|id| (id, state.to_owned())).collect::<Vec<_>>();
    let expected =
        [states_of(0, 40, "done"), states_of(40, 60, "unknown"), states_of(60, 300, "not_affected")];
    assert_eq!(states(&first), expected.concat());

    let second = command(&server, &line).output().unwrap();
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    assert_eq!(states(&second), states_of(0, 300, "done"));
    assert_eq!(console.counts(), (15, 20));
    assert!(console.state().notes.values().all(|count| *count == 1));

    // A complete journal sends nothing.
    let third = command(&server, &line).output().unwrap();
    assert_eq!((third.status.code(), third.stdout), (Some(0), second.stdout));
    assert_eq!(console.counts(), (15, 20));
}

/// Kills the process at different moments: each threat gets one note.
#[tokio::test(flavor = "multi_thread")]
async fn journal_survives_kill_without_repeating_an_action() {
    let dir = tempfile::tempdir().unwrap();
    let console = NoteConsole::default();
    console.state().delay = Duration::from_millis(40);
    let server = console.start().await;
    let line = command_line(dir.path(), 240);
    for kill in 1..=4 {
        let mut child = command(&server, &line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The process is killed when it has sent two more batches, whose responses may be on their way.
        let target = 2 * kill;
        while console.state().batches < target && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Wait until the console has received what the process sent.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let last = command(&server, &line).output().unwrap();
    assert_eq!(last.status.code(), Some(0), "{}", stderr(&last));
    assert_eq!(states(&last), (0..240).map(|id| (id, "done".to_owned())).collect::<Vec<_>>());
    let state = console.state();
    assert_eq!(state.notes.len(), 240);
    assert!(state.notes.values().all(|count| *count == 1), "{:?}", state.notes);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn interrupt_finishes_batches_in_flight_and_names_the_resuming_command() {
    let dir = tempfile::tempdir().unwrap();
    let console = NoteConsole::default();
    console.state().delay = Duration::from_millis(300);
    let server = console.start().await;
    let line = [command_line(dir.path(), 100), vec!["--in-flight".to_owned(), "1".to_owned()]].concat();
    let child = command(&server, &line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while console.state().batches < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("interrupted before all IDs were sent"), "{message}");
    assert!(message.contains("the same command resumes with the outcomes in"), "{message}");
    let done = states(&output).iter().filter(|(_, state)| state == "done").count();
    assert_eq!((done, console.counts().0), (40, 2), "{message}");

    console.state().delay = Duration::ZERO;
    let resumed = command(&server, &line).output().unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{}", stderr(&resumed));
    assert!(console.state().notes.values().all(|count| *count == 1));
}

#[test]
fn journal_of_another_action_is_a_usage_error() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("journal").display().to_string();
    let sandbox = RunningSandbox::start();
    let update = |status: &str| {
        let ids = "460000000000000011,460000000000000009,1";
        let line = ["update-threats-status", "--threat-ids", ids, "--journal", &journal, "--status", status];
        sandbox.run(&line)
    };
    let first = update("resolved");
    assert_eq!(first.status.code(), Some(3), "an ID does not exist: {}", stderr(&first));
    let second = update("resolved");
    assert_eq!((second.status.code(), &second.stdout), (Some(3), &first.stdout), "the same outcomes");
    let other = update("in_progress");
    assert_eq!((other.status.code(), other.stdout.len()), (Some(2), 0));
    let message = stderr(&other);
    assert!(message.contains("belongs to threats_update_incident with other values"), "{message}");
    assert!(message.contains("help: use another journal file"), "{message}");

    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("sent", "lost", 1)).unwrap();
    let damaged = update("resolved");
    assert_eq!(damaged.status.code(), Some(2));
    assert!(stderr(&damaged).contains("line 2 is not a record of a journal"), "{}", stderr(&damaged));
}

#[test]
fn batch_options_are_offered_by_commands_with_batches_only() {
    for entry in registry() {
        let help = run(&[entry.info.name, "--help"]);
        let has_journal = String::from_utf8_lossy(&help.stdout).contains("--journal");
        assert_eq!(has_journal, entry.batch_argument().is_some(), "{}", entry.info.name);
    }
    let base = ["--dry-run", "update-threats-status", "--status", "resolved", "--threat-ids", "1,2,3"];
    let requests = json_of(&run(&with(&base, &["--batch-size", "2"])));
    assert_eq!(requests.as_array().unwrap().len(), 2);
    assert_eq!(requests[1]["body"]["filter"]["ids"], json!(["3"]));
    for rejected in [["--in-flight", "0"], ["--in-flight", "17"], ["--batch-size", "0"]] {
        assert_eq!(run(&with(&base, &rejected)).status.code(), Some(2), "{rejected:?}");
    }
    assert_eq!(run(&with(&base, &["--resend-unknown"])).status.code(), Some(2), "it requires a journal");
}
