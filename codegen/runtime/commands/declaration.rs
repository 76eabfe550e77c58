//! Declarations of commands, which the generated modules implement.

use serde_json::{Map, Value, json};

use super::argument::{Argument, ArgumentKind};
use super::argument_error::ArgumentError;
use super::arguments::Arguments;
use super::context_path::ContextPath;
use crate::runtime::{ApiVersion, Operation, Request, RequestError};

/// Topic of a command. The help groups commands by topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// Threats, their notes and files.
    Threats,
    /// Alerts of STAR rules.
    Alerts,
    /// Agents and their endpoints.
    Agents,
    /// Files on endpoints, and file hashes.
    Files,
    /// Deep Visibility and PowerQuery.
    Hunting,
    /// Script library and tasks.
    RemoteScripts,
    /// STAR rules and indicators of compromise.
    Detection,
    /// Exclusions and the blocklist.
    Exclusions,
    /// Accounts, sites, groups and the activity log.
    Console,
    /// Incident mirroring.
    Incidents,
}

impl Topic {
    /// All topics, in the order of the help.
    pub const ALL: [Self; 10] = [
        Self::Threats,
        Self::Alerts,
        Self::Agents,
        Self::Files,
        Self::Hunting,
        Self::RemoteScripts,
        Self::Detection,
        Self::Exclusions,
        Self::Console,
        Self::Incidents,
    ];

    /// Returns the name of the topic in lower case, such as `remote-scripts`: the argument of `s1 help`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Threats => "threats",
            Self::Alerts => "alerts",
            Self::Agents => "agents",
            Self::Files => "files",
            Self::Hunting => "hunting",
            Self::RemoteScripts => "remote-scripts",
            Self::Detection => "detection",
            Self::Exclusions => "exclusions",
            Self::Console => "console",
            Self::Incidents => "incidents",
        }
    }

    /// Returns the heading of the topic, such as `Remote scripts`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Threats => "Threats",
            Self::Alerts => "Alerts",
            Self::Agents => "Agents",
            Self::Files => "Files",
            Self::Hunting => "Hunting",
            Self::RemoteScripts => "Remote scripts",
            Self::Detection => "Detection",
            Self::Exclusions => "Exclusions and blocklist",
            Self::Console => "Console",
            Self::Incidents => "Incidents",
        }
    }
}

/// Static information about a command.
#[derive(Debug)]
#[non_exhaustive]
pub struct CommandInfo {
    /// Name without the prefix, such as `get-threats`.
    pub name: &'static str,
    /// Name in the published integration, such as `sentinelone-get-threats`.
    pub full_name: &'static str,
    /// Topic under which help lists the command.
    pub topic: Topic,
    /// Summary in one line.
    pub summary: &'static str,
    /// What the command does, in one or more sentences.
    pub description: &'static str,
    /// Example: a command line of `s1`, such as `s1 get-site --site-id 420000000000000001`.
    pub example: &'static str,
    /// API versions that support the command.
    pub versions: &'static [ApiVersion],
    /// Whether the command changes the state of the console or of endpoints.
    pub is_action: bool,
    /// Whether the command interrupts, removes or isolates endpoints or objects, or cannot be undone.
    pub destructive: bool,
    /// Whether a user has to confirm the command: it is destructive, starts or stops work on many endpoints, or
    /// changes the protection of endpoints.
    pub requires_confirmation: bool,
    /// IDs of the operations that the command can send, on any API version.
    pub operations: &'static [&'static str],
    /// Context path of the entries, such as `SentinelOne.Threat`; empty if the command has no context.
    pub context: &'static str,
    /// Argument whose IDs go out in batches; `None` if the command has none.
    pub batch_argument: Option<&'static str>,
}

/// A command with typed arguments and its declaration.
pub trait CommandDeclaration: Sized {
    /// Static information.
    const INFO: CommandInfo;

    /// Context paths.
    const OUTPUTS: &'static [ContextPath];

    /// Returns the arguments.
    fn arguments() -> Vec<Argument>;

    /// Reads the command from named strings, and removes them.
    ///
    /// # Errors
    /// Returns an error if an argument is missing or invalid.
    fn from_arguments(arguments: &mut Arguments) -> Result<Self, ArgumentError>;

    /// Checks that required texts and lists are not empty, and that numbers are in their range.
    ///
    /// # Errors
    /// Returns an error for the first argument that is not valid.
    fn check(&self) -> Result<(), ArgumentError>;

    /// Parses the command from named strings.
    ///
    /// # Errors
    /// Returns an error if an argument is unknown, missing or invalid.
    fn parse(arguments: Arguments) -> Result<Self, ArgumentError> {
        let mut arguments = arguments.of_command(Self::INFO.name);
        let known = Self::arguments();
        arguments.check_names(&known)?;
        arguments.check_ids(&known)?;
        let command = Self::from_arguments(&mut arguments)?;
        command.check()?;
        Ok(command)
    }
}

/// A command whose request consists of its arguments.
pub trait CommandRequest: CommandDeclaration {
    /// Returns the operation of the request.
    fn operation() -> &'static Operation;

    /// Returns the request for these IDs. The request of a list without IDs has no filter by ID.
    ///
    /// # Errors
    /// Returns an error if the API does not accept a value, and for an action without IDs.
    fn request(&self, ids: &[String]) -> Result<Request<Value>, RequestError>;
}

/// A command that reads a list.
pub trait ListCommand: CommandRequest {
    /// Returns the limit, if it is set.
    fn limit(&self) -> Option<u64>;

    /// Returns the maximum number of items if no limit is set; `None` if the command has no limit.
    fn default_limit(&self) -> Option<u64>;

    /// Returns the argument that filters the list by ID, and its values; they go out in several requests.
    fn ids(&self) -> (&'static str, &[String]);

    /// Returns the arguments that are set and apply to one request only, such as a cursor.
    fn single_request_arguments(&self) -> Vec<&'static str>;

    /// Returns the identifiers that the arguments name.
    fn identifiers(&self) -> Vec<Identifier<'_>>;
}

/// An argument that names objects, of which the list should have each.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Identifier<'a> {
    /// Name of the argument.
    pub argument: &'static str,
    /// Values of the argument.
    pub values: &'a [String],
    /// Locations of the identifier in an item; empty if any item of the list has it.
    pub fields: &'static [&'static str],
}

impl<'a> Identifier<'a> {
    pub(crate) fn new(argument: &'static str, values: &'a [String], fields: &'static [&'static str]) -> Self {
        Self { argument, values, fields }
    }
}

/// A command that applies an action to IDs.
pub trait ActionCommand: CommandRequest {
    /// Returns the argument with the IDs, and its values.
    fn ids(&self) -> (&'static str, &[String]);

    /// Returns the value of an argument for the context; null if it is not set.
    fn value(&self, argument: &str) -> Value;
}

impl CommandInfo {
    /// Returns the JSON Schema (draft 2020-12) of the arguments as a JSON object, as
    /// [`Arguments::from_json`] reads it.
    pub fn arguments_schema(&self, arguments: &[Argument]) -> Value {
        let properties: Map<_, _> =
            arguments.iter().map(|argument| (argument.name.to_owned(), argument.schema())).collect();
        let required: Vec<_> =
            arguments.iter().filter(|argument| argument.required).map(|argument| argument.name).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "description": self.description,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

impl Argument {
    fn schema(&self) -> Value {
        let text = || match self.values {
            [] => json!({ "type": "string", "minLength": 1 }),
            values => json!({ "type": "string", "enum": values }),
        };
        let mut schema = match self.kind {
            ArgumentKind::String | ArgumentKind::Time => text(),
            ArgumentKind::Boolean => json!({ "type": "boolean" }),
            ArgumentKind::List => json!({ "type": "array", "items": text(), "minItems": 1 }),
            ArgumentKind::Integer if self.accepts_all => {
                json!({ "oneOf": [{ "type": "integer", "minimum": 1 }, { "const": "all" }] })
            }
            ArgumentKind::Integer => json!({ "type": "integer" }),
        };
        let default = self.default.map(|default| match self.kind {
            ArgumentKind::Integer | ArgumentKind::Boolean => {
                serde_json::from_str(default).unwrap_or_else(|_| json!(default))
            }
            _ => json!(default),
        });
        let additions = [
            ("description", Some(json!(self.doc))),
            ("default", default),
            ("minimum", self.range.0.map(Value::from)),
            ("maximum", self.range.1.map(Value::from)),
            ("writeOnly", self.secret.then_some(Value::Bool(true))),
        ];
        if let Some(members) = schema.as_object_mut() {
            let present = additions.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            members.extend(present);
        }
        schema
    }
}
