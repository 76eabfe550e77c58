//! The reference of the commands in the documentation.

use std::collections::BTreeSet;

use super::manifest::{Kind, Risk};
use super::model::{Argument, Command, Commands, Output, Single, Source, TOPICS, Values};
use crate::bundle::{Bundle, members};
use crate::metadata::{End, OperationFacts};
use crate::{emit, metadata};

const INTRODUCTION: &str = "
[Integration commands](../../guide/integration-commands.md) explains how to run these commands, and the kinds of
[arguments](../../guide/integration-commands.md#arguments). `s1 COMMAND --help` prints the same arguments, and
`s1 commands --schema` their JSON Schemas.

- *Source* is the field of the response, an argument, the result of the action, or *derived*. A field that differs between
  API versions is given for 2.0, then for 2.1.
- Context paths that the integration writes without documenting them are marked with *undocumented*.
";

impl Commands {
    /// Returns the pages of the documentation that list the commands with their arguments and context paths: the name and
    /// the text of the page of each topic.
    pub fn reference(&self, bundle: &Bundle) -> Vec<(String, String)> {
        let client = bundle.sent_by_client();
        let page = |(topic, title): (&str, &str)| {
            let of_topic = self.commands.iter().filter(|command| command.topic == topic);
            let sections: String = of_topic.map(|command| section(command, &client)).collect();
            let header = emit::header("<!--", &format!("spec/commands/{topic}.yaml"));
            let page = format!("{} -->\n\n# Commands: {title}\n{INTRODUCTION}{sections}", header.trim_end());
            (!sections.is_empty()).then(|| (format!("{topic}.md"), page))
        };
        TOPICS.into_iter().filter_map(page).collect()
    }
}

fn section(command: &Command, bundle: &Bundle) -> String {
    let Command { name, full_name, description, example, versions, operations, risk, .. } = command;
    let risk = match risk {
        Risk::Read => "read",
        Risk::Action => "action",
        Risk::Confirm => "action, requires confirmation",
        Risk::Destructive => "destructive action, requires confirmation",
    };
    let operations = match operations.as_slice() {
        [] => "none".to_owned(),
        ids => ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
    };
    let requirements = requirements(&command.operations, bundle);
    let mut text = format!(
        "\n## {name}\n\n{description}\n\n- Integration: `{full_name}`\n- API: {}\n- Kind: {risk}\n- Operations: \
         {operations}\n{requirements}- Example: `{example}`\n",
        versions.join(", ")
    );
    let rows: Vec<String> =
        command.arguments.iter().flat_map(|argument| argument_rows(argument, bundle)).collect();
    if !rows.is_empty() {
        text.push_str("\n| argument | kind | description |\n| --- | --- | --- |\n");
        rows.iter().for_each(|row| text.push_str(row));
    }
    if !command.outputs.is_empty() {
        text.push_str("\n| context path | type | source | description |\n| --- | --- | --- | --- |\n");
        command.outputs.iter().for_each(|output| text.push_str(&output_row(output)));
    }
    text
}

/// Returns the lines with the permissions and the end of the operations of a command.
fn requirements(operations: &[String], bundle: &Bundle) -> String {
    let of_command = bundle.operations().filter(|one| operations.iter().any(|id| id == one.id()));
    let facts: Vec<OperationFacts> =
        of_command.filter_map(|one| metadata::read_operation(one.node).ok()).collect();
    let all = |list: fn(&OperationFacts) -> &Vec<String>| -> Vec<String> {
        let all: BTreeSet<&String> = facts.iter().flat_map(list).collect();
        all.into_iter().map(|permission| format!("`{permission}`")).collect()
    };
    let mut lines = String::new();
    let required = all(|facts| &facts.permissions.required);
    let optional = all(|facts| &facts.permissions.optional);
    if !required.is_empty() || !optional.is_empty() {
        let some = if optional.is_empty() { "" } else { "for some values " };
        let separator = if required.is_empty() || optional.is_empty() { "" } else { "; " };
        let (required, optional) = (required.join(", "), optional.join(", "));
        lines.push_str(&format!("- Permissions: {required}{separator}{some}{optional}\n"));
    }
    let ends: BTreeSet<String> = facts.iter().filter_map(|facts| facts.end.as_ref()).map(end).collect();
    ends.iter().for_each(|end| lines.push_str(&format!("- Deprecated: {end}\n")));
    lines
}

fn end(end: &End) -> String {
    let date = end.date.as_deref().map(|date| format!("ends on {date}")).unwrap_or_default();
    let replacement = end.replacement.as_deref().map(|one| format!("replaced by {one}")).unwrap_or_default();
    let removed = if end.removed { "not in the newest vendor document" } else { "" };
    let parts = [removed, date.as_str(), replacement.as_str(), end.source.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn argument_rows(argument: &Argument, bundle: &Bundle) -> Vec<String> {
    if let Argument::Filter { filter, .. } = argument {
        return vec![format!(
            "| *fields of the filter* | | Each of the {} fields of `{}` is an argument with the name of its Rust field, \
             such as `computer_name_contains` |\n",
            filter_fields(&filter.name, bundle),
            filter.name,
        )];
    }
    argument.singles().iter().map(|one| argument_row(one, bundle)).collect()
}

fn filter_fields(name: &str, bundle: &Bundle) -> usize {
    bundle.schema(name).map_or(0, |schema| members(schema, "/properties").count())
}

fn argument_row(one: &Single, bundle: &Bundle) -> String {
    let kind = match one.kind {
        Kind::String => "string",
        Kind::List => "list",
        Kind::Boolean => "boolean",
        Kind::Integer => "integer",
        Kind::Time => "time",
    };
    let required = if one.required { ", *required*" } else { "" };
    let mut facts = one.description.trim_end_matches('.').to_owned();
    let values: Vec<String> = match (&one.values, &one.enum_type) {
        (Values::These(values), _) => values.clone(),
        (Values::OfEnum, Some(ty)) => enum_values(&ty.name, bundle),
        _ => Vec::new(),
    };
    if !values.is_empty() {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        facts.push_str(&format!(". Values: {}", values.join(", ")));
    }
    if let Some(default) = &one.default {
        facts.push_str(&format!(". Default: `{default}`"));
    }
    format!("| `{}` | {kind}{required} | {} |\n", one.name, cell(&facts))
}

fn enum_values(name: &str, bundle: &Bundle) -> Vec<String> {
    let values = bundle.schema(name).and_then(|schema| schema["enum"].as_array());
    values.into_iter().flatten().filter_map(|value| value.as_str()).map(str::to_owned).collect()
}

fn output_row(output: &Output) -> String {
    let code = |field: &Option<String>| field.as_ref().map_or("—".to_owned(), |field| format!("`{field}`"));
    let source = match &output.source {
        Source::Field(v2_0, v2_1) if v2_0 == v2_1 => code(v2_1),
        Source::Field(v2_0, v2_1) => format!("{}, {}", code(v2_0), code(v2_1)),
        Source::Argument(name) => format!("argument `{name}`"),
        Source::Result(_) => "result".to_owned(),
        Source::Computed => "derived".to_owned(),
        Source::Unavailable => "unavailable".to_owned(),
    };
    let mut facts = output.description.clone();
    if let Some(reason) = &output.unavailable {
        facts.push_str(&format!(". Unavailable: {reason}"));
    }
    if output.undocumented {
        facts.push_str(" (*undocumented*)");
    }
    format!("| `{}` | {} | {} | {} |\n", output.path, output.kind, cell(&source), cell(&facts))
}

/// Returns text for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
