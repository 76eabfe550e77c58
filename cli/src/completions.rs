//! Shell completions and manual pages.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::failure::{CliError, DONE};
use crate::help;
use crate::stdio;

/// Definition of the apostrophe that each rendered section starts with.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// Returns `completions` and `man`.
pub(crate) fn commands() -> [Command; 2] {
    let completions = Command::new("completions").about("Print a completion script for a shell").arg(
        Arg::new("shell")
            .value_name("SHELL")
            .required(true)
            .value_parser(value_parser!(Shell))
            .help("Shell of the script"),
    );
    let man = Command::new("man").about("Print the manual page, or write all manual pages").arg(
        Arg::new("out-dir")
            .long("out-dir")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("Write s1.1 and one page per command to a directory; create it if missing"),
    );
    [completions, man]
}

/// Prints a completion script of the whole command line.
pub(crate) fn completions(matches: &ArgMatches, mut command: Command) -> Result<u8, CliError> {
    let Some(shell) = matches.get_one::<Shell>("shell").copied() else {
        return Err(CliError::Usage("no shell: use bash, elvish, fish, powershell or zsh".into()));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "s1", &mut script);
    stdio::write(&String::from_utf8_lossy(&script))?;
    Ok(DONE)
}

/// Prints the main manual page of the whole command line, or writes all pages to a directory.
pub(crate) fn man(matches: &ArgMatches, mut command: Command) -> Result<u8, CliError> {
    command.build();
    let Some(dir) = matches.get_one::<PathBuf>("out-dir") else {
        stdio::write(&page(&command)?)?;
        return Ok(DONE);
    };
    write_pages(&command, dir).map_err(|error| {
        let message = format!("{}: cannot write the manual pages: {error}", dir.display());
        std::io::Error::new(error.kind(), message)
    })?;
    Ok(DONE)
}

/// Writes the page of a command, and those of its subcommands.
fn write_pages(command: &Command, dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    std::fs::write(dir.join(format!("{name}.1")), page(command)?)?;
    command.get_subcommands().try_for_each(|subcommand| write_pages(subcommand, dir))
}

/// Returns the manual page of a built command.
fn page(command: &Command) -> std::io::Result<String> {
    let name = command.get_name();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;

    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    roff.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default() + ".")]);
    for paragraph in help::details(name) {
        roff.control("PP", []);
        roff.text([roman(*paragraph)]);
    }
    roff.to_writer(&mut page)?;
    man.render_options_section(&mut page)?;

    let mut roff = Roff::new();
    if name == "s1" {
        roff.control("SH", ["COMMANDS"]);
        for group in help::groups() {
            roff.control("SS", [group.title]);
            let commands = group.commands.iter().filter_map(|name| command.find_subcommand(name));
            commands.for_each(|subcommand| describe(&mut roff, subcommand));
        }
    } else if command.has_subcommands() {
        roff.control("SH", ["COMMANDS"]);
        command.get_subcommands().for_each(|subcommand| describe(&mut roff, subcommand));
    }
    if let Some(example) = help::example(name) {
        roff.control("SH", ["EXAMPLES"]);
        roff.control("nf", []);
        roff.text([bold(example)]);
        roff.control("fi", []);
    }
    for (heading, rows) in [("ENVIRONMENT", &help::ENVIRONMENT[..]), ("EXIT STATUS", &help::EXIT_CODES[..])] {
        roff.control("SH", [heading]);
        for (label, text) in rows {
            roff.control("TP", []);
            roff.text([bold(*label)]);
            roff.text([roman(*text)]);
        }
    }
    roff.control("SH", ["NOTES"]);
    roff.text([roman(help::LIST_VALUES)]);
    roff.control("PP", []);
    roff.text([roman(help::DASH_VALUES)]);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold(if name == "s1" { "s1-help" } else { "s1" }), roman("(1)")]);
    roff.to_writer(&mut page)?;
    let sections = String::from_utf8_lossy(&page).replace(PREAMBLE, "");
    Ok(format!("{PREAMBLE}{sections}"))
}

/// Adds the name and the description of a command.
fn describe(roff: &mut Roff, command: &Command) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    roff.control("TP", []);
    roff.text([bold(name), roman("(1)")]);
    roff.text([roman(command.get_about().map(ToString::to_string).unwrap_or_default())]);
}
