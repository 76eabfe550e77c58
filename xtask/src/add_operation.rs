//! Adds an operation to a copy of the project with `cargo xtask add`, and checks the copy.
//!
//! Compiling the copy takes minutes. It is done if `S1_TEST_ADD_OPERATION` is set: `some` runs the tests that an added
//! operation can fail, `all` runs all tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::generation::{check, check_fixtures};
use crate::project_copy::{cargo, changed, contents, copy_curated, target};
use crate::{add, root, tidy};

/// Tests that an added operation can fail.
const TESTS: [&str; 4] = ["client", "properties", "repository", "sandbox"];

#[test]
fn added_operation_needs_no_edited_file() {
    let work = target().join("add_operation");
    let project = work.join("project");
    copy_curated(&root().unwrap(), &project);
    let before = contents(&project);

    let document = root().unwrap().join("xtask/src/add_operation/labels.yaml");
    let report =
        add::run(&project, &add::Args::of("GET /web/api/v2.1/labels", &document, "2024-03")).unwrap();
    for line in [
        "labels_list (GET /labels)",
        "  kind          read",
        "  filter        optional",
        "  response      JSON, a list of Label",
    ] {
        assert!(report.lines().any(|one| one == line), "{line} in {report}");
    }
    check(&project).unwrap();
    check_fixtures(&project).unwrap();
    for path in changed(&before, &contents(&project)) {
        let generated = [
            "spec/",
            "generated/",
            "fixtures/labels_list/",
            "src/resources/documented/",
            "tests/properties/documented_calls.rs",
        ]
        .iter()
        .any(|dir| path.starts_with(dir));
        assert!(generated, "unexpected change of {path}");
    }
    let again = add::run(&project, &add::Args::of("get /labels", &document, "2024-03")).unwrap_err();
    assert_eq!(again.to_string(), "GET /labels is already in spec/, as labels_list");
    for (operation, message) in [
        ("GET /label", "the document has no operation GET /label"),
        ("labels", "\"labels\" is not an operation: expected a method and a path, such as \"GET /tags\""),
    ] {
        let error = add::run(&project, &add::Args::of(operation, &document, "2024-03")).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }

    assert_eq!(tidy::violations(&project).unwrap(), [], "violations in the copy");

    let Ok(tests) = std::env::var("S1_TEST_ADD_OPERATION") else { return };
    let mut command = cargo(&project, &work.join("target"));
    command.args(["test", "--workspace", "--offline", "--all-features", "--no-fail-fast"]);
    if tests != "all" {
        command.args(TESTS.iter().flat_map(|name| ["--test", name]));
    }
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let results: Vec<&str> = out.lines().filter(|line| line.starts_with("test result:")).collect();
    assert!(output.status.success(), "{out}\n{err}");
    assert!(results.len() >= TESTS.len(), "{results:#?}");
}
