//! Lists in several pages, in each format.

use super::*;

const FORMATS: [&str; 4] = ["json", "ndjson", "context", "table"];

/// Returns a console that returns these pages, one after another.
async fn console_with_pages(pages: &[&str]) -> MockServer {
    let server = MockServer::start().await;
    let pages: Vec<String> = pages.iter().map(|page| (*page).to_owned()).collect();
    let respond = move |request: &Request| {
        let cursor = request.url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, value)| value);
        let page: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        ResponseTemplate::new(200).set_body_string(pages[page].as_str())
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

/// Returns the exit code, stdout and stderr.
fn run_on(server: &MockServer, arguments: &[&str]) -> (i32, String, String) {
    let output = tokio::task::block_in_place(|| s1_on(server, arguments).output().unwrap());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Returns the IDs of the output, which has to be complete.
fn ids(format: &str, out: &str) -> Vec<String> {
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    match format {
        "ndjson" => out.lines().map(|line| id(&serde_json::from_str::<Value>(line).unwrap()["id"])).collect(),
        "table" => {
            let lines: Vec<&str> = out.lines().collect();
            let frame = |start| lines.iter().filter(|line| line.starts_with(start)).count();
            assert_eq!([frame("┌"), frame("╞"), frame("└")], [1, 1, 1], "{out}");
            let cells = lines.iter().filter_map(|line| line.strip_prefix("│ ")?.split_once(' '));
            cells.map(|(first, _)| first.to_owned()).filter(|first| first != "ID").collect()
        }
        format => {
            let document: Value = serde_json::from_str(out).unwrap();
            assert_eq!(out, format!("{document:#}\n"));
            let (list, name) = match format {
                "json" => (&document["data"], "id"),
                _ => (&document["SentinelOne"]["Threat"], "ID"),
            };
            list.as_array().unwrap().iter().map(|item| id(&item[name])).collect()
        }
    }
}

const FIRST: &str = r#"{"data":[{"id":"1"},{"id":"2"}],"pagination":{"totalItems":4,"nextCursor":"1"}}"#;
const SECOND: &str = r#"{"data":[{"id":"3"}],"pagination":{"totalItems":4,"nextCursor":"2"}}"#;
const LAST: &str = r#"{"data":[{"id":"4"}],"pagination":{"totalItems":4,"nextCursor":null}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn list_in_pages_is_one_document() {
    let server = console_with_pages(&[FIRST, SECOND, LAST]).await;
    for format in FORMATS {
        let (code, out, err) = run_on(&server, &["get-threats", "--all", "--output", format]);
        assert_eq!((code, err.as_str()), (0, ""), "{format}");
        assert_eq!(ids(format, &out), ["1", "2", "3", "4"], "{format}");
        if format == "json" {
            let document: Value = serde_json::from_str(&out).unwrap();
            assert_eq!(document["pagination"], json!({ "totalItems": 4, "nextCursor": null }));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_first_page_leaves_the_columns_open() {
    let empty = r#"{"data":[],"pagination":{"nextCursor":"1"}}"#;
    let server = console_with_pages(&[empty, SECOND, LAST]).await;
    for format in FORMATS {
        let (code, out, err) = run_on(&server, &["get-threats", "--all", "--output", format]);
        assert_eq!((code, err.as_str()), (0, ""), "{format}");
        assert_eq!(ids(format, &out), ["3", "4"], "{format}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_list_is_one_document() {
    let server = console_with_pages(&[r#"{"data":[],"pagination":{"totalItems":0}}"#]).await;
    let expected = [
        "{\n  \"data\": [],\n  \"pagination\": {\n    \"totalItems\": 0\n  }\n}\n",
        "",
        "{\n  \"SentinelOne\": {\n    \"Threat\": []\n  }\n}\n",
        "0 found\n",
    ];
    for (format, expected) in FORMATS.iter().zip(expected) {
        let (code, out, err) = run_on(&server, &["get-threats", "--output", format]);
        assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""), "{format}");
    }
}

/// What was written before the failure is valid.
#[tokio::test(flavor = "multi_thread")]
async fn list_that_fails_later_is_valid_and_exits_3() {
    let server = long_list(2_000).await;
    for format in FORMATS {
        let (code, out, err) = run_on(&server, &["get-threats", "--all", "--output", format]);
        assert_eq!(code, 3, "{format}: {err}");
        let expected = "error: threats_list: HTTP 400 Bad Request: 4000010 Bad cursor: It is too old\n  help: correct \
                        the request as described in the error of the console\n";
        assert_eq!(err, expected, "{format}");
        if format == "table" {
            assert_eq!(out.matches(" sample ").count(), 2_000);
            assert!(out.ends_with("┘\n2000 of 2500\n"), "{out}");
        } else {
            assert_eq!(
                ids(format, &out),
                (0..2_000).map(|id| id.to_string()).collect::<Vec<_>>(),
                "{format}"
            );
        }
    }
}

/// After the pipe is closed, no page is requested.
#[tokio::test(flavor = "multi_thread")]
async fn closed_pipe_ends_the_list_in_every_format() {
    for format in FORMATS {
        let server = long_list(usize::MAX).await;
        let mut child = s1_on(&server, &["get-threats", "--all", "--output", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = tokio::task::block_in_place(|| child.wait_with_output().unwrap());
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), error.as_str()), (Some(0), ""), "{format}");
        assert_eq!(cursors(&server).await, [None], "{format}: a page is larger than the buffer of a pipe");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn table_keeps_columns_and_widths_of_the_first_page() {
    let first =
        r#"{"data":[{"id":"10","threatInfo":{"threatName":"one two"}}],"pagination":{"nextCursor":"1"}}"#;
    let last = r#"{"data":[
        {"id":"200","threatInfo":{"threatName":"three four five","classification":"Trojan","threatId":"8"}},
        {"id":"3","threatInfo":{"threatName":null,"classification":"Worm"}}
    ],"pagination":{"totalItems":5}}"#;
    let server = console_with_pages(&[first, last]).await;
    let (code, out, err) = run_on(&server, &["get-threats", "--all"]);
    let expected = "\
┌────┬────────────┐
│ ID ┆ ThreatName │
╞════╪════════════╡
│ 10 ┆ one two    │
│ 20 ┆ three four │
│ 0  ┆ five       │
│ 3  ┆            │
└────┴────────────┘
3 of 5
";
    assert_eq!((code, out.as_str()), (0, expected));
    let warning = "warning: get-threats: columns without a value on the first page are omitted, and later pages have values: \
                   Classification\n  help: select the columns with --columns\n";
    assert_eq!(err, warning);

    let columns = |names| run_on(&server, &["get-threats", "--all", "--columns", names]);
    let (code, out, err) = columns("id,classification,threatinfo.threatname");
    let expected = "\
┌────┬────────────────┬───────────────────────┐
│ ID ┆ Classification ┆ threatInfo.threatName │
╞════╪════════════════╪═══════════════════════╡
│ 10 ┆                ┆ one two               │
│ 20 ┆ Trojan         ┆ three four five       │
│ 0  ┆                ┆                       │
│ 3  ┆ Worm           ┆                       │
└────┴────────────────┴───────────────────────┘
3 of 5
";
    assert_eq!((code, out.as_str(), err.as_str()), (0, expected, ""));
    // The names are those of the first page.
    let (code, out, err) = columns("id,threatInfo.threatId");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("no item has the field \"threatInfo.threatId\""), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_list_comes_first_in_its_document() {
    let first = r#"{"pagination":{"nextCursor":"1"},"data":{"allSites":{"n":1},"sites":[{"id":"1"}]}}"#;
    let last = r#"{"pagination":{"nextCursor":null},"data":{"allSites":{"n":2},"sites":[{"id":"2"}]}}"#;
    let server = console_with_pages(&[first, last]).await;
    let arguments = ["get-sites", "--all", "--output", "json"];
    let (code, out, _) = run_on(&server, &arguments);
    let expected = json!({
        "data": { "sites": [{ "id": "1" }, { "id": "2" }], "allSites": { "n": 2 } },
        "pagination": { "nextCursor": null },
    });
    assert_eq!((code, out), (0, format!("{expected:#}\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn control_characters_of_a_list_are_escaped_in_every_format() {
    let page = "{\n\t\"data\": [\r\n{\"id\": \"1\",\n \"threatInfo\": {\"threatName\": \"a\u{9b}b\u{202e}é\u{7f}\"}}\n]}";
    let server = console_with_pages(&[page]).await;
    for format in FORMATS {
        let (code, out, err) = run_on(&server, &["get-threats", "--output", format]);
        assert_eq!((code, err.as_str()), (0, ""), "{format}");
        for line in out.lines() {
            assert_eq!(sentinelone::replace_control_chars(line), line, "{format}");
        }
        let name = if format == "table" { "a b é" } else { "a\\u009bb\\u202eé\\u007f" };
        assert!(out.contains(name), "{format}: {out}");
        assert!(format != "ndjson" || out.lines().count() == 1, "{out}");
    }
}
