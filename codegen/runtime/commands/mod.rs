//! Support code of commands: arguments, context paths, and the declaration that each generated command has.

mod argument;
mod argument_error;
mod arguments;
mod context_path;
mod declaration;
mod filter_arguments;
mod request_values;

pub(crate) use arguments::Choices;
pub(crate) use request_values::{RequestValues, joined};

pub use argument::{Argument, ArgumentKind, is_possible_id};
pub use argument_error::ArgumentError;
pub use arguments::Arguments;
pub use context_path::{ContextPath, ContextSource, ResultValue};
pub use declaration::{
    ActionCommand, CommandDeclaration, CommandInfo, CommandRequest, Identifier, ListCommand, Topic,
};
