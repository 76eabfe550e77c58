//! What a shell and `man` want to know of the command line.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli;
use crate::output;
use crate::run::{DONE, Failure};

/// The two commands.
pub(crate) fn commands() -> [Command; 2] {
    let completions =
        Command::new("completions").about("Print what lets a shell complete commands and options").arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("Which shell"),
        );
    let man =
        Command::new("man")
            .about("Print the manual page, or write one for every command")
            .arg(Arg::new("out").long("out").value_name("DIR").value_parser(value_parser!(PathBuf)).help(
            "Write s1.1 and a page for every command into this folder, which is made when it is not there",
        ));
    [completions, man]
}

/// Prints a script of completions.
pub(crate) fn completions(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(shell) = matches.get_one::<Shell>("shell").copied() else {
        return Err(Failure::Usage("which shell? give one of bash, elvish, fish, powershell, zsh".into()));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "s1", &mut script);
    output::write(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}

/// Prints the manual page, or writes them all.
pub(crate) fn man(matches: &ArgMatches) -> Result<u8, Failure> {
    let Some(folder) = matches.get_one::<PathBuf>("out") else {
        let mut page = Vec::new();
        let mut command = cli::command().disable_help_subcommand(true);
        command.build();
        Man::new(command).render(&mut page)?;
        output::write(&String::from_utf8_lossy(&page))?;
        return Ok(DONE);
    };
    write_all(folder).map_err(|error| {
        let message = format!("{}: the pages cannot be written: {error}", folder.display());
        std::io::Error::new(error.kind(), message)
    })?;
    Ok(DONE)
}

fn write_all(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(cli::command(), folder)
}
