//! Parse, run, exit code.

use std::io;
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};
use std::thread;

use jiayi::base::diagnostic::{Exit, Stopped};
use jiayi::cli;
use jiayi::command::Ended;
use jiayi::report::screen::{self, Look};
use jiayi::report::{publish, workbook};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let look = cli::default_look(&arguments);
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| panicked(info, look, &usual)));
    match cli::run(arguments) {
        Ok((Ended::Done, _)) => ExitCode::SUCCESS,
        Ok((Ended::Refused, _)) => ExitCode::from(3),
        Ok((Ended::Faulty, _)) => ExitCode::FAILURE,
        // Whoever reads our output has seen enough.
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(tell(&error, look) as u8),
    }
}

fn tell(error: &anyhow::Error, look: Look) -> Exit {
    let mut stderr = io::stderr().lock();
    let (told, exit) = match error.downcast_ref::<Stopped>() {
        Some(stopped) => (screen::diagnostics(&mut stderr, &stopped.diagnostics, look), stopped.exit),
        None => (screen::failure(&mut stderr, error, look), Exit::CannotRun),
    };
    drop(told);
    exit
}

/// Nothing half written stays behind, and a full disk is told like one even where a library takes it for a bug.
fn panicked(info: &PanicHookInfo, look: Look, usual: &dyn Fn(&PanicHookInfo)) {
    match (publish::abandon(), workbook::disk_fault(info)) {
        (Some(out), Some(fault)) => {
            let exit = tell(&publish::cannot_write(&out.join(workbook::NAME), &fault), look);
            process::exit(exit as i32);
        }
        // Another thread met the same and tells it.
        (None, Some(_)) => loop {
            thread::park();
        },
        _ => usual(info),
    }
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
