//! The command `arenet`: one file a subcommand, and what they share.
//!
//! Results go to standard output, everything else to standard error. A command ends with its
//! result, or with a [`Failure`] that is printed here and decides the exit code.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod chart;
mod check;
mod classes;
mod closing;
mod compile;
mod console;
mod cpu;
mod data;
mod dots;
mod draw;
mod eval;
mod events;
mod explain;
mod failure;
mod figures;
mod fix;
mod fmt;
mod foreign;
mod gradcheck;
mod help;
mod live;
mod lsp;
mod markup;
mod names;
mod new;
mod online;
mod outputs;
mod places;
mod plot;
mod predict;
mod profile;
mod progress;
mod rates;
mod report;
mod rerun;
mod show;
mod signals;
mod source;
mod stepper;
mod table;
mod tensors;
mod train;
mod trials;
mod units;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand};

use args::{Global, MessageFormat};
use console::Console;
use failure::Failure;

/// Compile, train and run small neural networks on the CPU.
#[derive(Parser)]
#[command(
    name = "arenet",
    version,
    arg_required_else_help = true,
    disable_help_flag = true,
    after_help = "Example: arenet train models/digits.net\n\
                  The language: arenet help language, arenet help losses, \
                  arenet help adam\n\
                  Exit codes: 0 ok, 1 model, 2 usage, 3 data, 4 diverged, \
                  5 over a limit,\n            130 interrupted"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

#[derive(Subcommand)]
enum Command {
    /// Write a model for a table, or a small project to begin with
    New(new::NewArgs),
    /// Train a model and save its weights
    Train(Box<train::TrainArgs>),
    /// Put the reports of several trainings beside each other
    Report(report::compare::ReportArgs),
    /// Measure loss and metrics of trained weights on a table
    Eval(eval::EvalArgs),
    /// Compute the outputs for the rows of a table
    Predict(predict::PredictArgs),
    /// Report mistakes in a model and its rows, and all shapes
    Check(check::CheckArgs),
    /// Explain the code of a message, with an example and its cure
    Explain(explain::ExplainArgs),
    /// Bring models into the usual form
    Fmt(fmt::FmtArgs),
    /// Serve an editor, which asks about models while they are written
    Lsp(lsp::LspArgs),
    /// Show what the compiler makes of a model
    Show(show::ShowArgs),
    /// Compile a model to a file that runs without the compiler
    Compile(compile::CompileArgs),
    /// Compare the gradients with central differences
    Gradcheck(gradcheck::GradcheckArgs),
    /// Measure how long a step takes
    Bench(bench::BenchArgs),
    /// Measure every step of the program beside the machine's limits
    Profile(profile::ProfileArgs),
    /// Show what this machine offers
    Cpu(cpu::CpuArgs),
    /// Print a script that completes commands in a shell
    Completions(help::CompletionsArgs),
    /// Write manual pages
    Man(help::ManArgs),
}

/// What a command works with beside its own arguments.
pub struct Context {
    global: Global,
    console: Console,
    /// The command line.
    arguments: Vec<OsString>,
}

impl Context {
    /// The threads that a run takes.
    fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, |n| n.get());
        self.global.threads.map_or_else(cores, usize::from)
    }
}

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(explained) = names::explained(&arguments) {
        return explained
            .map_or_else(|failure| failed(&Console::default(), &failure), |()| ExitCode::SUCCESS);
    }
    let mut command = help::command();
    let parsed = command.try_get_matches_from_mut(&arguments);
    let mut cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            return names::told(&error, &command)
                .map_or_else(|| misused(&error), |failure| failed(&Console::default(), &failure));
        }
    };
    if let Command::Train(args) = &cli.command
        && let Some(checkpoint) = args.resumed_alone()
    {
        arguments = match rerun::of_checkpoint(checkpoint, arguments) {
            Ok(arguments) => arguments,
            Err(failure) => return failed(&Console::new(&cli.global), &failure),
        };
        cli = match rerun::parse(arguments.clone()) {
            Ok(cli) => cli,
            Err(error) => return misused(&error),
        };
    }
    let console = Console::new(&cli.global);
    let cx = Context { global: cli.global, console, arguments };
    match run(&cx, cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failed(&cx.console, &failure),
    }
}

/// Tells of arguments that cannot be understood. Help and version come as errors too; clap knows
/// the stream and the code of each.
fn misused(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(error.exit_code() as u8)
}

fn failed(console: &Console, failure: &Failure) -> ExitCode {
    console.failure(failure);
    ExitCode::from(failure.code())
}

fn run(cx: &Context, command: Command) -> Result<(), Failure> {
    if cx.global.message_format == MessageFormat::Sarif && !matches!(command, Command::Check(_)) {
        let failure = Failure::usage("--message-format sarif is for the results of `arenet check`");
        return Err(failure.help("`--message-format json` is for all commands"));
    }
    match command {
        Command::New(args) => new::run(cx, &args),
        Command::Train(args) if args.trials.are_several() => trials::run(cx, &args),
        Command::Train(args) if args.online.online => online::run(cx, &args),
        Command::Train(args) => train::run(cx, &args),
        Command::Report(args) => report::compare::run(&args),
        Command::Eval(args) => eval::run(cx, &args),
        Command::Predict(args) => predict::run(cx, &args),
        Command::Check(args) => check::run(cx, &args),
        Command::Explain(args) => explain::run(&args),
        Command::Fmt(args) => fmt::run(cx, &args),
        Command::Lsp(_) => lsp::run(),
        Command::Show(args) => show::run(cx, &args),
        Command::Compile(args) => compile::run(cx, &args),
        Command::Gradcheck(args) => gradcheck::run(cx, &args),
        Command::Bench(args) => bench::run(cx, &args),
        Command::Profile(args) => profile::run(cx, &args),
        Command::Cpu(args) => cpu::run(cx, &args),
        Command::Completions(args) => help::completions(&args),
        Command::Man(args) => help::manual(cx, &args),
    }
}
