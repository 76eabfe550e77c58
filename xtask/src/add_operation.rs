//! Adds an operation to a copy of the project, with the steps of CONTRIBUTING.md, and checks the copy.
//!
//! Compiling the copy takes minutes. It is done if `S1_TEST_ADD_OPERATION` is set: `some` runs the tests that an added
//! operation can fail, `all` runs all tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::ExitCode;

use crate::project_copy::{cargo, changed, contents, copy, replaced, target, write_if_changed};
use crate::{check, check_fixtures, import, root, tidy, write, write_fixtures};

/// Tests that an added operation can fail.
const TESTS: [&str; 4] = ["client", "properties", "repository", "sandbox"];

#[test]
fn added_operation_needs_three_edited_files() {
    let work = target().join("add_operation");
    let project = work.join("project");
    copy(&root().unwrap(), &project);
    let before = contents(&project);

    // 1. Add a line and import the vendor document.
    let list = project.join("spec/operations.toml");
    let text = std::fs::read_to_string(&list).unwrap();
    let line = "\ntags_list = { method = \"GET\", path = \"/tags\", file = \"tags.yaml\" }\n";
    write_if_changed(&list, format!("{text}{line}").as_bytes());
    let default = root().unwrap().join("xtask/src/add_operation/tags.yaml");
    let document = std::env::var_os("S1_VENDOR_DOCUMENT").map_or(default, PathBuf::from);
    let report = work.join("report.txt");
    let exit_code = import::run(&project, &import::Args::for_writing(document, "2024-03", report.clone()));
    let report = std::fs::read_to_string(report).unwrap_or_default();
    assert_eq!(format!("{exit_code:?}"), format!("{:?}", ExitCode::SUCCESS), "{report}");
    assert!(report.contains("spec/tags.yaml"), "{report}");
    // 2. Add the resource module with the method.
    write_if_changed(&project.join("src/resources/tags.rs"), include_bytes!("add_operation/tags.rs.txt"));
    // 3. Declare the module and add the method of the client.
    let resources = project.join("src/resources/mod.rs");
    let text = std::fs::read_to_string(&resources).unwrap();
    let text = replaced(&text, "pub mod system;\n", "pub mod system;\npub mod tags;\n");
    let text = replaced(&text, "star_rules, system, threats", "star_rules, system, tags, threats");
    const THREATS: &str = "    /// Returns the operations on threats,";
    let method = "    /// Returns the operations on tags.\n    pub fn tags(&self) -> tags::Tags {\n        tags::Tags::new(self)\n    }\n\n";
    let text = replaced(&text, THREATS, &format!("{method}{THREATS}"));
    write_if_changed(&resources, text.as_bytes());
    let edited = ["spec/operations.toml", "src/resources/tags.rs", "src/resources/mod.rs"];

    write(&project).unwrap();
    write_fixtures(&project).unwrap();
    check(&project).unwrap();
    check_fixtures(&project).unwrap();
    for path in changed(&before, &contents(&project)) {
        let generated =
            ["spec/", "generated/", "fixtures/tags_list/"].iter().any(|dir| path.starts_with(dir));
        assert!(edited.contains(&path.as_str()) || generated, "unexpected change of {path}");
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
