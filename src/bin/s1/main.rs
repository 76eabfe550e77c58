//! `s1`: the commands of this crate at a terminal and in scripts.

mod cli;
mod contract;
mod findings;
mod incidents;
mod keyring;
mod log;
mod login;
mod output;
mod probe;
mod profiles;
mod progress;
mod record;
mod run;
mod session;
mod shell;
mod suggest;

use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = match cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(mut error) => {
            suggest::nearest_command(&mut error);
            // Help goes to stdout with 0, everything else to stderr with 2.
            // Only words are looked for, and what is no UTF-8 is none of them.
            let words = || std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
            if error.use_stderr() && cli::names_a_secret(words()) {
                // What does not fit may be a part of a password that was not quoted.
                output::say(
                    "error: the arguments do not fit; what they are is not shown, since there is a password among them",
                );
                output::say("Values with blanks or symbols in them have to be quoted. --help tells more.");
            } else if error.use_stderr() && words().any(|word| word == "login") {
                output::say(
                    "error: the arguments of login do not fit; what they are is not shown, since one may be a token",
                );
                output::say("The token is typed, or comes from stdin or a file. s1 login --help tells more.");
            } else {
                let _ = error.print();
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(run::USAGE));
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(format_args!("error: {error}"));
            return ExitCode::from(run::FAILED);
        }
    };
    match runtime.block_on(run::run(&matches)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::say(format_args!("error: {failure}"));
            ExitCode::from(failure.code())
        }
    }
}
