//! Parse, run, exit code.

use std::io;
use std::process::ExitCode;

use jiayi::base::diagnostic::{Exit, Stopped};
use jiayi::cli;
use jiayi::command::Ended;
use jiayi::report::screen;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let look = cli::default_look(&arguments);
    match cli::run(arguments) {
        Ok((Ended::Done, _)) => ExitCode::SUCCESS,
        Ok((Ended::Refused, _)) => ExitCode::from(3),
        Ok((Ended::Faulty, _)) => ExitCode::FAILURE,
        // Whoever reads our output has seen enough.
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = io::stderr().lock();
            let (told, exit) = match error.downcast_ref::<Stopped>() {
                Some(stopped) => (screen::diagnostics(&mut stderr, &stopped.diagnostics, look), stopped.exit),
                None => (screen::failure(&mut stderr, &error, look), Exit::CannotRun),
            };
            drop(told);
            ExitCode::from(exit as u8)
        }
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
