//! `sen`: satellite scenes in, weekly maps out. This crate wires configuration, store, processing and service.

mod archive;
mod commands;
mod config;
mod grid;
mod output;
mod zones;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Satellite scenes in, weekly maps out: ingest imagery, make weekly rasters, serve them as tiles and a web map.
#[derive(Parser)]
#[command(name = "sen", version, max_term_width = 100, propagate_version = true)]
struct Cli {
    /// The data folder (configuration, catalogue and rasters).
    #[arg(
        long,
        global = true,
        env = "SEN_DATA",
        default_value = "data",
        value_name = "DIR"
    )]
    data: PathBuf,
    /// The configuration; without it, sen.toml of the data folder when there is one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the result as one JSON document.
    #[arg(long, global = true)]
    json: bool,
    /// More log lines (twice for still more).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// No progress and only errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a data folder with a commented sen.toml
    Init(commands::init::Init),
    /// Take scenes into the catalogue, then make the weekly products of the weeks touched
    Ingest(commands::ingest::Ingest),
    /// Take in zones, points and lines, ground measurements
    Import(commands::import::Import),
    /// Make or remake weekly products; does nothing when they are up to date
    Process(commands::process::Process),
    /// Erosion and accretion of river banks between two times
    Erosion(commands::erosion::Erosion),
    /// Serve tiles, values and the web map
    Serve(commands::serve::Serve),
    /// Keys for those who write over HTTP
    Keys(commands::keys::Keys),
    /// Take back a scene, a zone or readings, or bring them back
    Withdraw(commands::withdraw::Withdraw),
    /// Check configuration and data: every row has its file, every checksum fits
    Check(commands::check::Check),
    /// The data folder as one file, also while it is served and processed
    Backup(commands::backup::Backup),
    /// A data folder from a backup
    Restore(commands::restore::Restore),
    /// Accuracy of a map or of a product's methods against labels
    Validate(commands::validate::Validate),
}

/// What a command found: 0 all done, 1 something failed and was named, the rest was done.
pub(crate) enum Outcome {
    /// All done.
    Done,
    /// Some of it failed and was named.
    Partly,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = output::Output::new(cli.json, cli.quiet, cli.verbose);
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider was installed before");
    }
    match run(cli, &output) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Partly) => ExitCode::from(1),
        Err(error) => {
            output.fatal(&error);
            ExitCode::from(if error.is::<config::UsageError>() { 2 } else { 1 })
        }
    }
}

fn run(cli: Cli, output: &output::Output) -> anyhow::Result<Outcome> {
    let place = config::Place {
        data: cli.data,
        config: cli.config,
    };
    match cli.command {
        Command::Init(command) => command.run(&place, output),
        Command::Ingest(command) => command.run(&place, output),
        Command::Import(command) => command.run(&place, output),
        Command::Process(command) => command.run(&place, output),
        Command::Erosion(command) => command.run(&place, output),
        Command::Serve(command) => command.run(&place, output),
        Command::Keys(command) => command.run(&place, output),
        Command::Withdraw(command) => command.run(&place, output),
        Command::Check(command) => command.run(&place, output),
        Command::Backup(command) => command.run(&place, output),
        Command::Restore(command) => command.run(&place, output),
        Command::Validate(command) => command.run(output),
    }
}
