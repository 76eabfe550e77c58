//! The files of `spec/commands/`, as they are written.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

/// A file of `spec/commands/`: the commands of one topic.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct TopicFile {
    /// Name of the topic.
    pub(super) topic: String,
    /// Arguments that several commands have, each a struct.
    #[serde(default)]
    pub(super) argument_groups: Members<ArgumentGroup>,
    /// Context paths that several commands have.
    #[serde(default)]
    pub(super) output_groups: Members<Members<Output>>,
    /// The commands by name.
    pub(super) commands: Members<Command>,
}

/// Arguments that several commands have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ArgumentGroup {
    pub(super) description: String,
    pub(super) arguments: Members<Argument>,
}

/// A command.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Command {
    /// Name in the published integration. Default: the name with the prefix `sentinelone-`.
    pub(super) full_name: Option<String>,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) example: String,
    /// API versions. Default: all.
    pub(super) versions: Option<Vec<Spanned<String>>>,
    /// What the command does on an API version that none of its operations supports.
    #[serde(default)]
    pub(super) without_operation: Members<String>,
    pub(super) operations: Vec<Spanned<String>>,
    pub(super) risk: Risk,
    /// Argument whose IDs go out in batches.
    pub(super) batches: Option<Spanned<String>>,
    pub(super) list: Option<List>,
    pub(super) action: Option<Action>,
    #[serde(default)]
    pub(super) arguments: Members<Argument>,
    /// Context path of the entries. The paths of `outputs` are relative to it, unless they start with it or with a dot.
    pub(super) context: Option<String>,
    /// Operations whose responses have the fields of `outputs`, each on the API versions that it supports. Default: the
    /// only operation.
    #[serde(default)]
    pub(super) response: Vec<Spanned<String>>,
    /// Location of the items in the response. Default: the items of the operation.
    pub(super) items: Option<Spanned<String>>,
    /// Name of a group of context paths, which precede those of `outputs`.
    pub(super) output_group: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) outputs: Members<Output>,
}

/// What a command can do to the console and to endpoints.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Risk {
    /// Nothing.
    Read,
    /// It changes state.
    Action,
    /// It changes state, and a user has to confirm it.
    Confirm,
    /// It interrupts, removes or isolates, or cannot be undone. A user has to confirm it.
    Destructive,
}

/// A command that reads a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct List {
    pub(super) operation: Spanned<String>,
    /// Argument that filters by ID.
    pub(super) ids: Option<Spanned<String>>,
    /// Whether the client has its own code for the command, which uses the request.
    #[serde(default)]
    pub(super) custom: bool,
}

/// A command that applies an action to IDs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Action {
    pub(super) operation: Spanned<String>,
    /// Argument with the IDs.
    pub(super) ids: Spanned<String>,
    /// Values that each request has, by location.
    #[serde(default)]
    pub(super) constants: Members<Value>,
    /// Whether the client has its own code for the command, which uses the request.
    #[serde(default)]
    pub(super) custom: bool,
}

/// An argument, or a group of arguments.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Argument {
    pub(super) kind: Option<Kind>,
    #[serde(default)]
    pub(super) required: bool,
    /// Whether the integration documents the required argument as optional, although it cannot run without it.
    #[serde(default)]
    pub(super) documented_as_optional: bool,
    pub(super) default: Option<Spanned<String>>,
    /// Whether the default is that of the console, and a missing argument is not sent.
    #[serde(default)]
    pub(super) default_of_console: bool,
    /// Allowed values. Default: those of the enum.
    pub(super) values: Option<Vec<Spanned<String>>>,
    /// Enum of the values. Default: that of the location that the argument is sent to.
    #[serde(rename = "enum")]
    pub(super) enum_name: Option<Spanned<String>>,
    /// Whether upper and lower case of the values are the same.
    #[serde(default)]
    pub(super) ignore_case: bool,
    pub(super) minimum: Option<i64>,
    pub(super) maximum: Option<i64>,
    /// Whether a time has to be in the future.
    #[serde(default)]
    pub(super) future: bool,
    /// How the text is read, if its kind does not determine it.
    #[serde(rename = "as")]
    pub(super) form: Option<Form>,
    /// Location in the request, such as `query.siteIds`, `filter.ids`, `data.text` or `path.action`.
    pub(super) sends: Option<Spanned<String>>,
    /// Fields of an item that have the identifier. Empty: the items have the identifier that the argument names.
    pub(super) identifies: Option<Vec<Spanned<String>>>,
    /// Evidence of a field of `identifies` that the operation does not declare.
    pub(super) undeclared: Option<String>,
    /// Name of the Rust field. Default: the name in snake case.
    pub(super) rust: Option<String>,
    pub(super) description: Option<String>,
    /// Name of an argument group, or of the command whose arguments these are.
    pub(super) group: Option<Spanned<String>>,
    /// Required arguments of the group.
    #[serde(default)]
    pub(super) requires: Vec<Spanned<String>>,
    /// Descriptions that replace those of the group.
    #[serde(default)]
    pub(super) descriptions: Members<String>,
    /// Filter whose fields are the arguments, or that a list of `field=value` pairs sets.
    pub(super) filter: Option<Spanned<String>>,
}

/// Kind of an argument.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    String,
    List,
    Boolean,
    Integer,
    Time,
}

/// How the text of an argument is read.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// A string without spaces around it.
    Trimmed,
    /// A maximum number of items, or `all`.
    Limit,
    /// A number of seconds.
    Seconds,
    /// A path on this machine.
    Path,
    /// A secret, which is never printed.
    Secret,
    /// Two times.
    TimeRange,
    /// A JSON object.
    Object,
    /// Read and not used.
    Ignored,
}

/// A context path.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Output {
    /// Type that the integration documents.
    #[serde(rename = "type")]
    pub(super) kind: Spanned<String>,
    pub(super) description: String,
    /// Field of the response on all API versions, relative to an item.
    pub(super) field: Option<Spanned<String>>,
    /// Field on API 2.0.
    #[serde(rename = "v2.0")]
    pub(super) v2_0: Option<Spanned<String>>,
    /// Field on API 2.1.
    #[serde(rename = "v2.1")]
    pub(super) v2_1: Option<Spanned<String>>,
    /// Operations whose responses have the field. Default: those of the command.
    #[serde(default)]
    pub(super) response: Vec<Spanned<String>>,
    /// Location of the items in the responses. Default: that of the command, or the items of the operation.
    pub(super) items: Option<Spanned<String>>,
    /// Evidence of a field that the operation does not declare.
    pub(super) undeclared: Option<String>,
    /// Argument whose value the path has.
    pub(super) argument: Option<Spanned<String>>,
    /// Form of the result of an action.
    pub(super) result: Option<ResultForm>,
    /// Whether the client derives the value.
    #[serde(default)]
    pub(super) computed: bool,
    /// Why no API version, or one that `field` omits, has the value.
    pub(super) unavailable: Option<String>,
    /// Whether a table shows the path.
    #[serde(default = "yes")]
    pub(super) column: bool,
    /// Whether the integration writes the path without documenting it.
    #[serde(default)]
    pub(super) undocumented: bool,
}

fn yes() -> bool {
    true
}

/// Form of the result of an action for one ID.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ResultForm {
    Success,
    Word,
}

/// Members of an object, with their names, in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct Members<T>(Vec<(Spanned<String>, T)>);

impl<T> Members<T> {
    /// Returns the names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Spanned<String>, &T)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Returns the value of a member.
    pub(super) fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(other, _)| other.value == name).map(|(_, value)| value)
    }

    /// Returns the names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.value.as_str())
    }
}

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for MembersVisitor<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}
