//! Adds a command that reads a list to a copy of the project, and compiles the copy.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::generation::{check, write};
use crate::project_copy::{cargo, changed, contents, copy_curated, target, write_if_changed};
use crate::{root, tidy};

const NAME: &str = "get-service-users";

/// Lines of Rust that use the command in a program.
const EXAMPLE: &str = include_str!("add_command/service_users.rs.txt");

fn stdout(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

/// The library, the command line, its help, the list of commands, the completions and the JSON Schema have the command
/// after one entry in `spec/commands/` and without a line of Rust.
#[test]
fn added_list_command_needs_one_entry() {
    let work = target().join("add_command");
    let project = work.join("project");
    copy_curated(&root().unwrap(), &project);
    let before = contents(&project);
    let declarations = project.join("spec/commands/console.yaml");
    let text = std::fs::read_to_string(&declarations).unwrap();
    write_if_changed(&declarations, (text + include_str!("add_command/entry.yaml")).as_bytes());
    write(&project).unwrap();
    check(&project).unwrap();
    for path in changed(&before, &contents(&project)) {
        let is_generated = ["generated/src/commands/", "docs/reference/commands/"];
        let is_generated = is_generated.iter().any(|dir| path.starts_with(dir));
        assert!(path == "spec/commands/console.yaml" || is_generated, "unexpected change of {path}");
    }
    assert_eq!(tidy::violations(&project).unwrap(), [], "violations in the copy");

    write_if_changed(&project.join("examples/service_users.rs"), EXAMPLE.as_bytes());
    let own_target = work.join("target");
    let mut build = cargo(&project, &own_target);
    build.args(["build", "--offline", "--package", "sentinelone", "--package", "sentinelone-cli"]);
    build.args(["--bin", "s1", "--example", "service_users"]);
    stdout(&build.output().unwrap());
    let program = |name: &str| own_target.join("debug").join(name);
    let s1 = |arguments: &[&str]| run(&program("s1"), arguments);

    let named = json(&run(&program("examples/service_users"), &[]));
    assert!(!named.as_array().unwrap().is_empty(), "the library runs the command: {named}");
    let commands = json(&s1(&["commands", NAME, "--output", "json"]));
    let names: Vec<_> = commands[0]["arguments"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["user_ids", "site_ids", "query", "cursor", "limit"]);
    assert_eq!(commands[0]["outputs"][0]["path"], "SentinelOne.ServiceUser.ID");
    let schema = &json(&s1(&["commands", NAME, "--schema"]))[NAME];
    assert_eq!(schema["properties"]["user_ids"]["type"], "array");
    assert_eq!(schema["properties"]["limit"]["default"], 20);
    let help = stdout(&s1(&[NAME, "--help"]));
    assert!(help.contains("--user-ids") && help.contains("--all"), "{help}");
    assert!(stdout(&s1(&["help", "console"])).contains(NAME));
    assert!(stdout(&s1(&["completions", "bash"])).contains(NAME));
    let missing = s1(&["--sandbox", NAME, "--user-ids", "1", "--output", "json"]);
    assert_eq!(missing.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(errors.contains("user_ids not found: 1"), "{errors}");
    let listed = json(&s1(&["--sandbox", NAME, "--output", "context"]));
    assert_eq!(listed["SentinelOne"]["ServiceUser"], named);
}

fn run(program: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    for name in ["S1_API_TOKEN", "S1_CONSOLE_URL", "S1_CONFIG_FILE"] {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}
