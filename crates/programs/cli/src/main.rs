//! The `sealstack` command: one file a subcommand. Reads arguments and prints; everything else is the server's.

mod account;
mod admin;
mod argument_files;
mod audit;
mod backup;
mod batch;
mod clock;
mod decrypt;
mod encrypt;
mod env;
mod failure;
mod git;
mod iam;
mod inspect;
mod interrupt;
mod materials;
mod paths;
mod reencrypt;
mod restore;
mod rollback;
mod seal;
mod serve;
mod settings;
mod unseal;
mod wrapping_keys;
mod xks_proxy;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use failure::Failure;
use paths::Reads;
use server::ServerError;
use server::config::Place;
use wire::shown_lines;

/// Key management, access control and audit that speak AWS's protocols, on your own machine.
///
/// The AWS CLI, the SDKs and the AWS Encryption SDK use it unmodified. Requests are verified and authorised, data is
/// sealed at rest, and every call is in an audit log that shows tampering.
#[derive(Parser)]
#[command(name = "sealstack", version, after_long_help = AFTER_HELP, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack serve                        start the server; the first start makes everything it needs
  eval \"$(sealstack env)\"                point this shell's AWS clients at it
  aws kms create-key                     use it
  sealstack audit show --limit 10        see what was done
  sealstack audit verify                 see that nobody changed that
  sealstack seal rotate                  replace the root key
  sealstack backup keys.tar              keep a copy elsewhere
  sealstack git import URL               take over a Git repository
  sealstack encrypt -w key=alias/a -i report.pdf -o report.pdf.encrypted
  sealstack decrypt -w key=alias/a -i report.pdf.encrypted -o report.pdf

Every flag can be set by the variable in its help, or in a TOML file: flags win over variables, variables over the file.

Exit codes:
  0  success
  1  another failure
  2  a flag, variable or configuration file is wrong
  3  the data directory or a file can't be used
  4  another sealstack uses the data directory
  5  the address can't be listened on
  6  the root seal doesn't open
  7  the database is damaged or not ours
  8  the audit log was tampered with or is damaged
  9  the disk is full
  10 no server runs there
  11 the backup is damaged or not genuine
  12 the database or the audit log was put back, replaced or removed
  13 blobs or Git objects are missing, or not what was written";

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<serve::Serve>),
    /// Print the variables that point AWS clients and git of a shell at the server
    Env(env::Env),
    /// Show, replace or split the root seal, under which all other keys are wrapped
    #[command(subcommand)]
    Seal(seal::Command),
    /// Give a share of the root key to a server that started sealed
    Unseal(unseal::Unseal),
    /// Make accounts and limit them (while the server is stopped)
    #[command(subcommand)]
    Account(account::Command),
    /// Make an administrator when there is none left (while the server is stopped)
    #[command(subcommand)]
    Admin(admin::Command),
    /// Say whether the server believes its clock, and make it
    ///
    /// A clock that is more than a day ahead of what the server knows of the time is not believed: keys are not destroyed
    /// by it, expired key material is not removed, and no segment of the audit log is too old. That ends when the clock
    /// goes back, when it has run evenly for 24 hours, or when somebody accepts it. A server that was switched off for
    /// more than a day does the same, since nothing tells it whether its clock is right.
    #[command(subcommand)]
    Clock(clock::Command),
    /// Say who may do what, and why
    #[command(subcommand)]
    Iam(iam::Command),
    /// Verify or show the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check the database, the audit log, and that both belong together
    Check(rollback::Check),
    /// Show or accept that the database or the audit log is not what it was when the server stopped
    #[command(subcommand)]
    Rollback(rollback::Command),
    /// Bring Git repositories in, take them out, verify and maintain them
    #[command(subcommand)]
    Git(git::Command),
    /// Back up the data directory into one file
    Backup(backup::Backup),
    /// Restore a backup into a new data directory
    Restore(restore::Restore),
    /// Hold keys in a PKCS#11 token for AWS KMS, or for another Sealstack
    XksProxy(Box<xks_proxy::XksProxy>),
    /// Encrypt files or streams into messages that every AWS Encryption SDK reads
    Encrypt(Box<encrypt::Encrypt>),
    /// Decrypt messages that any AWS Encryption SDK wrote
    Decrypt(Box<decrypt::Decrypt>),
    /// Encrypt messages anew, to other wrapping keys for instance
    Reencrypt(Box<reencrypt::Reencrypt>),
    /// Show what messages say of themselves, without any key
    Inspect(inspect::Inspect),
}

fn main() -> ExitCode {
    if let Err(error) = server::fail_writes_over_the_limit() {
        let _ = writeln!(std::io::stderr(), "sealstack: a file that is too large for its limit will end this: {error}");
    }
    let result = argument_files::expand(std::env::args_os()).and_then(|(arguments, files)| {
        let mut reads = Reads::default();
        files.iter().for_each(|file| reads.add("argument file", file));
        run(Cli::try_parse_from(arguments).unwrap_or_else(|error| unusable(&error)), reads)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_reported() {
                // Nowhere is left to complain to if this fails.
                let _ = writeln!(std::io::stderr(), "{}", shown_lines(&format!("sealstack: {failure}"), "  "));
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Says what is wrong with the arguments, or the help that they ask for, and ends.
fn unusable(error: &clap::Error) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    // Without colours, which could not be told from those of foreign text. If this fails, nowhere is left to complain.
    let _ = write!(std::io::stderr(), "{}", shown_lines(&error.render().to_string(), ""));
    std::process::exit(error.exit_code());
}

/// `reads` is what was read of the command line itself.
fn run(Cli { place, command }: Cli, reads: Reads) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve.run(&place)?,
        Command::Env(env) => env.run(place)?,
        Command::Seal(command) => command.run(&place)?,
        Command::Unseal(unseal) => unseal.run(place)?,
        Command::Account(command) => command.run(&place)?,
        Command::Admin(command) => command.run(&place)?,
        Command::Clock(command) => command.run(place)?,
        Command::Iam(command) => command.run(&place)?,
        Command::Audit(command) => command.run(&place)?,
        Command::Git(command) => command.run(place)?,
        Command::Backup(backup) => backup.run(&place)?,
        Command::Restore(restore) => restore.run(&place)?,
        Command::Check(check) => check.run(&place)?,
        Command::Rollback(command) => command.run(&place)?,
        Command::XksProxy(proxy) => proxy.run()?,
        Command::Encrypt(encrypt) => encrypt.run(reads)?,
        Command::Decrypt(decrypt) => decrypt.run(reads)?,
        Command::Reencrypt(reencrypt) => reencrypt.run(reads)?,
        Command::Inspect(inspect) => inspect.run()?,
    }
    Ok(())
}

/// Writes lines for people to standard output, whatever foreign text is in them.
fn print(text: &str) -> Result<(), ServerError> {
    print_exactly(&shown_lines(text, "").to_string())
}

/// Writes to standard output what other programs read. Nobody reading any more is no failure, as in `… | head`.
fn print_exactly(text: &str) -> Result<(), ServerError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|cause| ServerError::System { action: "print", cause }),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
