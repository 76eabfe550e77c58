//! Commands whose action goes out in batches: rejected batches, and journals.

use sentinelone::ErrorKind;
use sentinelone::batch::Journal;
use sentinelone::commands::{PreparedCommand, RunOptions};
use sentinelone::raw::commands as declared;
use sentinelone::raw::runtime::RequestErrorKind;
use sentinelone::raw::runtime::commands::ActionCommand;
use wiremock::Mock;
use wiremock::matchers::{body_partial_json, method, path, query_param};

use super::*;

const INCIDENT: &str = "/web/api/v2.1/threats/incident";

fn resolve(ids: &str) -> PreparedCommand {
    let args = [("threat_ids", ids), ("status", "resolved")];
    entry("update-threats-status").prepare(arguments(&args)).unwrap()
}

/// Returns options with batches of two IDs, sent one after the other.
fn options() -> RunOptions<'static> {
    let mut options = RunOptions::default();
    (options.batch_size, options.in_flight) = (Some(2), 1);
    options
}

fn error_response(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_json(json!({ "errors": [{ "code": 4000010, "title": "Invalid" }] }))
}

fn affected(count: u64) -> ResponseTemplate {
    json_response(json!({ "data": { "affected": count } }))
}

/// Mounts the response to a batch, which is expected to arrive this many times.
async fn mount_batch(server: &MockServer, ids: &[&str], response: ResponseTemplate, times: u64) {
    let post = Mock::given(method("POST")).and(path(INCIDENT));
    let post = post.and(body_partial_json(json!({ "filter": { "ids": ids } })));
    post.respond_with(response).expect(times).mount(server).await;
}

#[tokio::test]
async fn rejected_batch_does_not_stop_the_others() {
    let server = MockServer::start().await;
    mount_batch(&server, &["1", "2"], affected(2), 1).await;
    mount_batch(&server, &["3", "x"], error_response(400), 1).await;
    mount_batch(&server, &["5", "y"], error_response(400), 1).await;
    mount_batch(&server, &["7"], affected(1), 1).await;
    let outcome = resolve("1,2,3,x,5,y,7").run_with(&client(&server, V2_1), &options()).await.unwrap();
    let states: Vec<_> = states(&outcome).into_iter().map(|(id, state)| format!("{id} {state}")).collect();
    let expected = [
        "1 done",
        "2 done",
        "3 not_affected",
        "x not_affected",
        "5 not_affected",
        "y not_affected",
        "7 done",
    ];
    assert_eq!(states, expected);
    assert_eq!(outcome.results[3].detail.as_deref(), Some("the request of its batch was rejected"));
    assert_eq!(outcome.failure.as_ref().unwrap().status().unwrap(), 400);
    assert_eq!(outcome.errors[0].title.as_deref(), Some("batch of 2 IDs from 5"), "the second failure");
    assert_eq!((outcome.affected, outcome.is_complete()), (Some(3), false));
}

#[tokio::test]
async fn rejection_of_all_batches_is_an_error() {
    let server = MockServer::start().await;
    Mock::given(path(INCIDENT)).respond_with(error_response(400)).expect(2).mount(&server).await;
    let error = resolve("1,2,3").run_with(&client(&server, V2_1), &options()).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 400);
}

#[tokio::test]
async fn authentication_error_stops_further_batches() {
    let server = MockServer::start().await;
    mount_batch(&server, &["1", "2"], affected(2), 1).await;
    mount_batch(&server, &["3", "4"], error_response(401), 1).await;
    mount_batch(&server, &["5"], affected(1), 0).await;
    let outcome = resolve("1,2,3,4,5").run_with(&client(&server, V2_1), &options()).await.unwrap();
    let details: Vec<_> = outcome.results.iter().map(|one| one.detail.as_deref()).collect();
    let rejected = Some("the request of its batch was rejected");
    assert_eq!(details, [None, None, rejected, rejected, Some("not sent")]);
    assert_eq!(outcome.failure.unwrap().status().unwrap(), 401);
}

#[tokio::test]
async fn journal_resumes_with_what_the_console_shows() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal");
    let server = MockServer::start().await;
    mount_batch(&server, &["1", "2"], affected(2), 1).await;
    mount_batch(&server, &["3", "4"], ResponseTemplate::new(500), 1).await;
    mount_batch(&server, &["5"], affected(1), 0).await;
    let with_journal = || {
        let mut options = options();
        options.journal = Some(Journal::open(&file).unwrap());
        options
    };
    let outcome = resolve("1,2,3,4,5").run_with(&client(&server, V2_1), &with_journal()).await.unwrap();
    let expected = [
        ("1", IdState::Done),
        ("2", IdState::Done),
        ("3", IdState::Unknown),
        ("4", IdState::Unknown),
        ("5", IdState::NotAffected),
    ];
    assert_eq!(states(&outcome), expected);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("token-of-the-test") && !text.contains("resolved"), "{text}");

    // The second batch took effect for one of its threats.
    server.reset().await;
    let threat = |id: &str, status: &str| json!({ "id": id, "threatInfo": { "incidentStatus": status } });
    let threats = json!({ "data": [threat("3", "resolved"), threat("4", "unresolved")] });
    Mock::given(method("GET"))
        .and(path("/web/api/v2.1/threats"))
        .and(query_param("ids", "3,4"))
        .respond_with(json_response(threats))
        .expect(1)
        .mount(&server)
        .await;
    mount_batch(&server, &["4", "5"], affected(2), 1).await;
    let outcome = resolve("1,2,3,4,5").run_with(&client(&server, V2_1), &with_journal()).await.unwrap();
    assert!(outcome.results.iter().all(|one| one.state == IdState::Done), "{:?}", outcome.results);
    assert_eq!(
        outcome.results[2].detail.as_deref(),
        Some("the response was lost, and the console has the requested state")
    );
    assert!(outcome.is_complete());

    // A complete journal sends nothing.
    server.reset().await;
    let outcome = resolve("1,2,3,4,5").run_with(&client(&server, V2_1), &with_journal()).await.unwrap();
    assert!(outcome.is_complete() && outcome.results.len() == 5);
    assert!(server.received_requests().await.unwrap().is_empty());
    assert!(Journal::open(&file).unwrap().is_complete());

    // Another value, action or console is another journal.
    let others = [
        ("update-threats-status", [("threat_ids", "1"), ("status", "in_progress")], "with other values"),
        (
            "update-threats-verdict",
            [("threat_ids", "1"), ("verdict", "suspicious")],
            "the action is threats_update",
        ),
    ];
    for (name, args, reason) in others {
        let command = entry(name).prepare(arguments(&args)).unwrap();
        let error = command.run_with(&client(&server, V2_1), &with_journal()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Journal);
        assert!(error.to_string().contains(reason), "{error}");
    }
    let other_console = MockServer::start().await;
    let error = resolve("1").run_with(&client(&other_console, V2_1), &with_journal()).await.unwrap_err();
    assert!(error.to_string().contains("belongs to the console"), "{error}");
}

#[tokio::test]
async fn journal_of_unrepeatable_action_keeps_lost_ids_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal");
    let server = MockServer::start().await;
    let post = || Mock::given(method("POST")).and(path("/web/api/v2.1/agents/actions/broadcast"));
    post().respond_with(ResponseTemplate::new(502)).up_to_n_times(1).mount(&server).await;
    post().respond_with(affected(2)).expect(1).mount(&server).await;
    let args = [("agent_id", "1,2"), ("message", "Please save your work")];
    let command = entry("broadcast-message").prepare(arguments(&args)).unwrap();
    let run = async |resend: bool| {
        let mut options = options();
        (options.journal, options.resend_unknown) = (Some(Journal::open(&file).unwrap()), resend);
        command.run_with(&client(&server, V2_1), &options).await.unwrap()
    };
    let unknown = [("1", IdState::Unknown), ("2", IdState::Unknown)];
    assert_eq!(states(&run(false).await), unknown);
    let resumed = run(false).await;
    assert_eq!(states(&resumed), unknown, "nothing is sent");
    let detail = resumed.results[0].detail.as_deref().unwrap();
    assert!(detail.contains("it is not repeated: the console does not list"), "{detail}");
    assert_eq!(states(&run(true).await), [("1", IdState::Done), ("2", IdState::Done)]);
}

#[tokio::test]
async fn journal_with_command_without_batches_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    let server = MockServer::start().await;
    let mut options = options();
    options.journal = Some(Journal::open(dir.path().join("journal")).unwrap());
    let command = entry("delete-group").prepare(arguments(&[("group_id", "7")])).unwrap();
    let error = command.run_with(&client(&server, V2_1), &options).await.unwrap_err();
    assert!(error.to_string().contains("cannot use a journal"), "{error}");
    // A selection without IDs has no outcome per ID.
    let command = entry("shutdown-agent").prepare(arguments(&[("group_id", "7")])).unwrap();
    let error = command.run_with(&client(&server, V2_1), &options).await.unwrap_err();
    assert!(error.to_string().contains("a request without IDs"), "{error}");
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn batch_progress_counts_ids() {
    let server = MockServer::start().await;
    Mock::given(path(INCIDENT)).respond_with(affected(2)).mount(&server).await;
    let log = Log::default();
    let mut options = options();
    options.observer = &log;
    let _ = resolve("1,2,3,4").run_with(&client(&server, V2_1), &options).await.unwrap();
    let finished = |finished| ProgressEvent::BatchFinished { finished, total: 4 };
    assert_eq!(log.events(), [finished(2), finished(4)]);
}

/// The filter of a request without IDs would match every object in scope.
#[test]
fn action_request_without_ids_is_an_error_in_each_command() {
    fn check<C: ActionCommand>() {
        let required = C::arguments().into_iter().filter(|argument| argument.required);
        let arguments = required.fold(Arguments::new(), |arguments, argument| {
            arguments.with(argument.name, argument.values.first().copied().unwrap_or("11"))
        });
        let command = C::parse(arguments).unwrap();
        let (name, ids) = command.ids();
        assert!(command.request(ids).is_ok(), "{}: {:?}", C::INFO.name, command.request(ids));
        let error = command.request(&[]).unwrap_err();
        assert_eq!(error.kind(), &RequestErrorKind::EmptyList(name.to_owned()), "{}", C::INFO.name);
    }
    macro_rules! check_each {
        ($($command:ident)*) => { $(check::<declared::$command>();)* };
    }
    sentinelone::raw::for_each_action_command!(check_each);
}
