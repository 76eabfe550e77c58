//! `s1`, the command line client.

mod atomic_file;
mod batches;
mod cli;
mod columns;
mod completions;
mod confirm;
mod contract;
mod ends;
mod failure;
mod findings;
mod global_options;
mod help;
mod incidents;
mod integration;
mod json_text;
mod keyring;
mod list_values;
mod log;
mod login;
mod options;
mod output;
mod probe;
mod profile;
mod profiles;
mod progress;
mod query;
mod record;
mod run;
mod session;
mod signals;
mod stdio;
mod stream;
mod suggest;
mod table;
mod terminal;
mod usage;

use std::process::ExitCode;

use clap::{ArgMatches, Command};

/// Parses the command line. An error comes from the whole command line, so that it suggests from all commands.
fn parse(arguments: &[String]) -> Result<ArgMatches, clap::Error> {
    match cli::command_of(arguments).map(Command::try_get_matches) {
        Some(Err(error)) if error.use_stderr() => {}
        Some(parsed) => return parsed,
        None => {}
    }
    cli::command().try_get_matches()
}

fn main() -> ExitCode {
    let arguments: Vec<_> =
        std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned()).collect();
    if let Some(message) = usage::missing_value(&arguments) {
        stdio::report(format_args!("error: {message}"));
        return ExitCode::from(failure::USAGE);
    }
    if matches!(arguments.as_slice(), [only] if only == "-h" || only == "--help") {
        // Without the parser, which takes half of the time.
        let _ = stdio::write_styled(&help::overview(&cli::all_commands()));
        return ExitCode::SUCCESS;
    }
    let matches = match parse(&arguments) {
        Ok(matches) => matches,
        Err(mut error) => {
            usage::nearest_command(&mut error);
            usage::without_list_of_subjects(&mut error);
            // Help is written to stdout with exit code 0, an error to stderr with exit code 2.
            if error.use_stderr() && options::has_secret_option(&arguments) {
                // The rejected argument can be part of a password that was not quoted.
                stdio::report(
                    "error: invalid arguments; they are not shown, because one of them is a secret",
                );
                stdio::report("  help: quote values that contain spaces or symbols; see --help");
            } else if error.use_stderr() && arguments.iter().any(|argument| argument == "login") {
                stdio::report(
                    "error: invalid arguments of login; they are not shown, because one can be a token",
                );
                stdio::report("  help: type the token, or read it from stdin or a file; see s1 login --help");
            } else {
                let _ = error.print();
                if let Some(help) = usage::dash_value(&error, &arguments) {
                    stdio::report(format_args!("  help: {help}"));
                }
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            stdio::report(format_args!("error: {error}"));
            return ExitCode::from(failure::FAILED);
        }
    };
    match runtime.block_on(run::run(&matches)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            stdio::report(format_args!("error: {failure}"));
            ExitCode::from(failure.code())
        }
    }
}
