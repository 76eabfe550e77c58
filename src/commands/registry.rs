//! The list of all commands.

use super::registered::RegisteredCommand;

macro_rules! entries {
    ($($command:ident)*) => {
        &[$(RegisteredCommand::new::<super::$command>()),*]
    };
}

/// Returns all commands in alphabetical order.
pub const fn registry() -> &'static [RegisteredCommand] {
    const { sentinelone_raw::for_each_command!(entries) }
}

/// Returns the command with this name, with or without the prefix `sentinelone-`.
pub fn find(name: &str) -> Option<&'static RegisteredCommand> {
    registry().iter().find(|entry| entry.info.name == name || entry.info.full_name == name)
}
