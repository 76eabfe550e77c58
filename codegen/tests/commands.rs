//! Declarations of commands are checked against the operations.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/curated.rs"]
mod curated;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use curated::spec;
use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::commands::{self, Commands};
use sentinelone_codegen::lint::Finding;
use sentinelone_codegen::{Error, generate_from};

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::read(&spec()).unwrap());

/// A file with a list, an action, an action with another form, and a command without a request.
const SITES: &str = r"topic: console

argument-groups:
  period:
    description: Period.
    arguments:
      from: { kind: time, description: Start of the period. }
      days: { kind: integer, minimum: 1, maximum: 90, description: Days. }

commands:
  list-sites:
    summary: List sites
    description: Lists sites.
    example: s1 list-sites
    operations: [sites_list]
    risk: read
    list: { operation: sites_list, ids: site_ids }
    arguments:
      site_ids: { kind: list, sends: query.siteIds, identifies: [id], description: Site IDs. }
      kind: { kind: string, rust: site_type, ignore-case: true, sends: query.siteType, description: License type. }
      state: { kind: string, values: [active, expired], sends: query.state, description: State. }
      limit: { kind: integer, default: '50', as: limit, description: Maximum number of sites. }
    context: SentinelOne.Site
    outputs:
      ID: { type: String, field: id, description: ID }
      Name: { type: String, v2.1: name, unavailable: nameless, column: false, description: Name }
      .Cursor: { type: String, computed: true, undocumented: true, description: Cursor }

  annotate:
    full-name: annotate
    summary: Annotate threats
    description: Adds a note.
    example: s1 annotate --threat-ids 1 --note text
    versions: ['2.1']
    operations: [threats_add_note]
    risk: confirm
    batches: threat_ids
    action: { operation: threats_add_note, ids: threat_ids, constants: { filter.tenant: true } }
    arguments:
      threat_ids: { kind: list, required: true, sends: filter.ids, description: Threat IDs. }
      note: { kind: string, required: true, sends: data.text, description: Note. }
    context: SentinelOne.Threat
    outputs:
      ID: { type: String, argument: threat_ids, description: ID }
      Done: { type: Boolean, result: success, description: Whether the note was added }

  wait:
    summary: Wait
    description: Waits.
    example: s1 wait --password x
    operations: []
    risk: read
    arguments:
      period: { group: period, requires: [from], descriptions: { days: Whole days. } }
      timeout: { kind: integer, default: '60', as: seconds, minimum: 1, description: Seconds. }
      password: { kind: string, required: true, as: secret, description: Password. }
      dir: { kind: string, default: '.', as: path, description: Directory. }
";

fn parse(text: &str) -> Result<Commands, Error> {
    Commands::parse(&BTreeMap::from([("console.yaml".to_owned(), text.to_owned())]), &BUNDLE)
}

/// Returns the findings of the file with a replaced text, which has to occur once.
fn findings(from: &str, to: &str) -> Vec<Finding> {
    assert_eq!(SITES.matches(from).count(), 1, "{from}");
    match parse(&SITES.replace(from, to)) {
        Err(Error::Lint(findings)) => findings,
        other => panic!("{to}: no findings: {other:?}"),
    }
}

/// Returns the line of a text in the file.
fn line_of(text: &str) -> usize {
    SITES.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn declarations_of_the_project_match_the_operations() {
    let commands = Commands::read(&spec(), &BUNDLE).unwrap_or_else(|error| panic!("{error}"));
    assert!(!commands.is_empty());
    let by_operation = commands::by_operation(&spec()).unwrap();
    let ids: Vec<&str> = BUNDLE.operations().map(|operation| operation.id()).collect();
    for (operation, names) in by_operation {
        assert!(ids.contains(&operation.as_str()), "{operation} of {names:?}");
    }
}

#[test]
fn context_path_without_field_names_file_line_and_nearest_field() {
    let findings = findings("ID: { type: String, field: id,", "ID: { type: String, field: accountNam,");
    let line = line_of("ID: { type: String, field: id,");
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].location, format!("spec/commands/console.yaml:{line}"));
    let message = "accountNam is not a field of the response of sites_list; the nearest is accountName";
    assert_eq!(findings[0].message, message);
    let error = Error::Lint(findings).to_string();
    assert!(error.contains(&format!("spec/commands/console.yaml:{line}: {message}")), "{error}");
}

/// Each kind of mistake is a finding at the line of the mistake.
#[test]
fn declaration_that_does_not_match_is_a_finding_at_its_line() {
    for (from, to, message) in [
        (
            "operations: [sites_list]",
            "operations: [site_list]",
            "site_list is not an operation; the nearest is sites_list",
        ),
        (
            "query.siteIds",
            "query.siteIDs",
            "query.siteIDs is not a parameter of sites_list; the nearest is query.siteIds",
        ),
        (
            "data.text",
            "data.txt",
            "data.txt is not a field of the body of threats_add_note; the nearest is data.text",
        ),
        ("filter.ids", "body.ids", "body.ids is not a field of the body of threats_add_note"),
        (
            "values: [active, expired]",
            "values: [active, expird]",
            "expird is not a value of the enum; the nearest is expired",
        ),
        ("kind: { kind: string,", "kind: { kind: boolean,", "query.siteType has the type string"),
        (
            "ids: site_ids }",
            "ids: side_ids }",
            "side_ids is not an argument of the command; the nearest is site_ids",
        ),
        ("batches: threat_ids", "batches: threat_id", "threat_id is not an argument of the command"),
        ("argument: threat_ids,", "argument: threats,", "threats is not an argument of the command"),
        ("type: Boolean,", "type: Bool,", "Bool is not a type of context paths; the nearest is Boolean"),
        ("versions: ['2.1']", "versions: ['2.2']", "2.2 is not an API version"),
        ("versions: ['2.1']", "versions: ['2.0', '2.1']", "annotate has no operation of API 2.0"),
        (
            "versions: ['2.1']",
            "versions: ['2.1']\n    without-operation: { '2.1': Nothing. }",
            "annotate has an operation of API 2.1; remove without-operation",
        ),
        (
            "versions: ['2.1']",
            "without-operation: { '2.0': Nothing. }\n    versions: ['2.1']",
            "2.0 is not an API version of the command; the nearest is 2.1",
        ),
        (
            "query.siteIds",
            "path.siteIds",
            "path.siteIds is not a parameter of sites_list; the nearest is query.siteIds",
        ),
        (
            "      limit: { kind: integer,",
            "      max: { kind: integer,",
            "max is a limit; expected the name limit and a default",
        ),
        (
            "default: '50', as: limit,",
            "as: limit,",
            "limit is a limit; expected the name limit and a default",
        ),
        (
            "default: '50'",
            "default: ten",
            "the default \"ten\" is not valid; expected a number of at least 1",
        ),
        ("default: '60'", "default: '0'", "the default \"0\" is not valid; expected a number of at least 1"),
        (
            "values: [active, expired],",
            "values: [active, expired], default: activ,",
            "the default \"activ\" is not valid; expected a value of the argument",
        ),
        (
            "days: { kind: integer,",
            "days: { kind: integer, default: '91',",
            "the default \"91\" is not valid; expected an integer in the range of the argument",
        ),
        (
            "from: { kind: time,",
            "from: { kind: boolean, default: 'yes',",
            "the default \"yes\" is not valid; expected true or false",
        ),
        (
            "identifies: [id],",
            "identifies: [id], undeclared: a guess,",
            "each field is declared; remove undeclared",
        ),
        ("identifies: [id]", "identifies: [ident]", "ident is not a field of the items of sites_list"),
        ("group: period,", "group: peroid,", "peroid is neither an argument group nor a command"),
        ("requires: [from]", "requires: [form]", "form is not an argument of the group; the nearest is from"),
        (
            "descriptions: { days: Whole days. }",
            "descriptions: { day: Whole days. }",
            "day is not an argument of the group",
        ),
        (
            "{ filter.tenant: true }",
            "{ filter.tenants: true }",
            "filter.tenants is not a field of the body of threats_add_note; the nearest is filter.tenant",
        ),
        (
            "v2.1: name,",
            "v2.1: name, argument: kind,",
            "has more than one of field, argument, result and computed",
        ),
        (
            ".Cursor: { type: String, computed: true,",
            ".Cursor: { type: String,",
            "has none of field, argument, result, computed and unavailable",
        ),
        ("v2.1: name,", "v2.1: name, undeclared: a guess,", "each field is declared; remove undeclared"),
        (
            "operations: [threats_add_note]",
            "operations: [agents_shutdown]",
            "agents_shutdown is destructive, but the risk is not",
        ),
        (
            "operations: [sites_list]",
            "operations: [groups_move_agents]",
            "the risk is read, but groups_move_agents changes objects",
        ),
        ("risk: confirm", "risk: read", "the risk is read, but threats_add_note changes objects"),
        (
            "      limit: {",
            "      note: { kind: string, description: Note. }\n      limit: {",
            "note is not sent, although the list is not custom",
        ),
        (
            "timeout: { kind: integer, default",
            "timeout: { kind: integer, sends: query.limit, default",
            "the command has neither list nor action",
        ),
    ] {
        let findings = findings(from, to);
        let changed = SITES.replace(from, to);
        let first = from.lines().next().unwrap();
        let expected = format!("spec/commands/console.yaml:{}", line_of(first));
        let found = findings.iter().find(|finding| finding.message.contains(message));
        let found = found.unwrap_or_else(|| panic!("{to}: {findings:#?}"));
        // The position of a command is that of its name.
        let is_near = found.location == expected
            || changed.lines().take(line_of(first)).any(|line| {
                let name = line.trim().trim_end_matches(':');
                line.starts_with("  ")
                    && !line.starts_with("    ")
                    && found.location == format!("spec/commands/console.yaml:{}", line_of(name))
            });
        assert!(is_near, "{to}: {found} is not at {expected}");
    }
}

#[test]
fn unknown_key_and_invalid_yaml_name_the_file_and_the_line() {
    for (from, to) in [
        ("    risk: confirm", "    riks: confirm"),
        ("  wait:", "  wait: ["),
        ("  annotate:\n", "  list-sites:\n"),
    ] {
        let error = parse(&SITES.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with("spec/commands/console.yaml: ") && error.contains("line"), "{error}");
    }
}

#[test]
fn command_of_two_files_is_a_finding() {
    let texts = ["console.yaml", "sites.yaml"].map(|name| (name.to_owned(), SITES.to_owned()));
    let error = Commands::parse(&BTreeMap::from(texts), &BUNDLE).unwrap_err().to_string();
    let expected = format!(
        "spec/commands/sites.yaml:{}: list-sites is declared twice, also in spec/commands/console.yaml",
        line_of("  list-sites:")
    );
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn topic_that_does_not_exist_is_a_finding() {
    let findings = findings("topic: console", "topic: consoles");
    assert!(
        findings[0].message.contains("\"consoles\" is not a topic; expected one of threats"),
        "{findings:?}"
    );
}

#[test]
fn emitted_commands_match_snapshot() {
    let commands = parse(SITES).unwrap_or_else(|error| panic!("{error}"));
    let files = generate_from(&BUNDLE, &commands).unwrap();
    insta::assert_snapshot!("emitted_commands", files["src/commands/console.rs"]);
    insta::assert_snapshot!("emitted_command_lists", files["src/commands/mod.rs"]);
    let pages = commands.reference(&BUNDLE);
    assert_eq!(pages.len(), 1);
    insta::assert_snapshot!("command_page", pages[0].1);
}
