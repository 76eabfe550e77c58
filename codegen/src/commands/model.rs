//! Commands whose declarations are checked, and complete.

use serde_json::Value;

use super::manifest::{Form, Kind, ResultForm, Risk};

/// Topics and their headings, in the order of the help.
pub(super) const TOPICS: [(&str, &str); 10] = [
    ("threats", "Threats"),
    ("alerts", "Alerts"),
    ("agents", "Agents"),
    ("files", "Files"),
    ("hunting", "Hunting"),
    ("remote-scripts", "Remote scripts"),
    ("detection", "Detection"),
    ("exclusions", "Exclusions and blocklist"),
    ("console", "Console"),
    ("incidents", "Incidents"),
];

/// The commands of all topics.
#[derive(Debug, Default)]
pub struct Commands {
    /// The commands, sorted by name.
    pub(super) commands: Vec<Command>,
    /// Groups of arguments, sorted by name.
    pub(super) groups: Vec<Group>,
}

/// A command.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) topic: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) example: String,
    pub(super) versions: Vec<String>,
    pub(super) operations: Vec<String>,
    pub(super) risk: Risk,
    pub(super) batches: Option<String>,
    pub(super) context: String,
    pub(super) arguments: Vec<Argument>,
    pub(super) outputs: Vec<Output>,
    pub(super) request: Option<Request>,
}

/// A struct with arguments that several commands have.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) topic: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) arguments: Vec<Single>,
}

/// An argument, or several arguments in one field.
#[derive(Debug)]
pub(super) enum Argument {
    Single(Box<Single>),
    /// The arguments of a group or of another command.
    Group {
        /// Rust field.
        rust: String,
        /// Name of the group.
        name: String,
        /// The arguments, with the changes of this command.
        arguments: Vec<Single>,
        has_secrets: bool,
    },
    /// The fields of a filter.
    Filter {
        rust: String,
        filter: TypeName,
    },
}

/// One argument.
#[derive(Clone, Debug)]
pub(super) struct Single {
    pub(super) name: String,
    /// Rust field.
    pub(super) rust: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
    /// Whether the struct of the group, which another command requires less of, has the argument as optional.
    pub(super) is_optional_in_group: bool,
    /// Whether help and lists show the required argument as optional.
    pub(super) documented_as_optional: bool,
    pub(super) default: Option<String>,
    /// Whether the default is that of the console, and a missing argument is not sent.
    pub(super) default_of_console: bool,
    pub(super) values: Values,
    /// Type of the values.
    pub(super) enum_type: Option<TypeName>,
    /// Filter that the list sets.
    pub(super) filter: Option<TypeName>,
    pub(super) ignore_case: bool,
    pub(super) range: (Option<i64>, Option<i64>),
    pub(super) future: bool,
    pub(super) form: Option<Form>,
    pub(super) sends: Option<Location>,
    pub(super) identifies: Option<Vec<String>>,
    pub(super) description: String,
}

/// The allowed values of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Any,
    /// Those of the enum.
    OfEnum,
    These(Vec<String>),
}

/// A generated type and its module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TypeName {
    pub(super) module: String,
    pub(super) name: String,
}

/// A location in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Path(String),
    Query {
        name: String,
        /// Whether the parameter is a string, which has the items of a list joined by commas.
        is_string: bool,
    },
    /// Part and field of a body; an empty field is the whole part.
    Body(String, String),
}

/// The request of a command.
#[derive(Debug)]
pub(super) struct Request {
    /// Module and name of the static metadata.
    pub(super) metadata: TypeName,
    /// Argument with the IDs.
    pub(super) ids: Option<String>,
    pub(super) constants: Vec<(Location, Value)>,
    pub(super) form: RequestForm,
    /// Whether the client has its own code for the command.
    pub(super) custom: bool,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestForm {
    List,
    Action,
}

/// A context path.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) source: Source,
    pub(super) unavailable: Option<String>,
    pub(super) column: bool,
    pub(super) undocumented: bool,
}

/// Source of the value of a context path.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Fields on API 2.0 and 2.1.
    Field(Option<String>, Option<String>),
    Argument(String),
    Result(ResultForm),
    Computed,
    Unavailable,
}

impl Command {
    /// Returns the argument with the maximum number of items.
    pub(super) fn limit(&self) -> Option<&Single> {
        let mut singles = self.arguments.iter().flat_map(Argument::singles);
        singles.find(|one| one.form == Some(Form::Limit))
    }
}

impl Argument {
    /// Returns the single arguments, without the fields of a filter.
    pub(super) fn singles(&self) -> &[Single] {
        match self {
            Self::Single(one) => std::slice::from_ref(one.as_ref()),
            Self::Group { arguments, .. } => arguments,
            Self::Filter { .. } => &[],
        }
    }
}

impl Single {
    pub(super) fn is_secret(&self) -> bool {
        self.form == Some(Form::Secret)
    }
}
