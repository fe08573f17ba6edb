//! `sealstack unseal`: gives shares of the root key to the running server.

use clap::Args;
use server::ServerError;
use server::admin::Client;
use server::config::Place;
use server::data_dir::Layout;
use server::prompt;

use crate::print;

/// Give a share of the root key to the running server
///
/// A server whose root key was split (`sealstack seal split`) starts sealed and refuses every call until enough people
/// have given their shares, each with this command on the server's machine, in any order. It asks for the share without
/// showing it, or reads shares from standard input, one a line. Shares are not taken as arguments: those are seen by
/// every user of the machine, and kept in the shell's history.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Unseal {
    /// Say whether the server is sealed and how many shares it has; give none
    #[arg(long)]
    status: bool,

    /// Make the server forget the shares given so far
    #[arg(long, conflicts_with = "status")]
    reset: bool,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack unseal
  sealstack unseal < share
  sealstack unseal --status
  sealstack unseal --reset";

impl Unseal {
    pub(crate) fn run(self, place: Place) -> Result<(), ServerError> {
        let (data, _) = place.resolve()?;
        let client = Client::new(Layout::new(data));
        let mut awaiting = if self.reset { client.forget()? } else { client.status()? };
        if awaiting.is_none() {
            return print("The server is not sealed.\n");
        }
        let mut given = 0;
        while !self.status
            && !self.reset
            && awaiting.is_some()
            && let Some(share) = prompt::secret("Share: ")?
        {
            awaiting = client.unseal(&share)?;
            given += 1;
            if prompt::is_terminal() {
                break;
            }
        }
        if given == 0 && !self.status && !self.reset {
            return Err(ServerError::NoInput { wanted: "a share" });
        }
        match awaiting {
            None => print("The server is open.\n"),
            Some(progress) => print(&format!(
                "Sealed: {} of the {} shares needed were given (split {}).\n",
                progress.given, progress.split.threshold, progress.split.id
            )),
        }
    }
}
