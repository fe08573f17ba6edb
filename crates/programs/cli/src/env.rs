//! `sealstack env`: the variables that point a shell at the server.

use std::io::IsTerminal as _;

use server::ServerError;
use server::aws_profile;
use server::config::Place;
use server::data_dir::Layout;
use server::exports::{Shell, statements};

use crate::print_exactly;

/// Print the variables that point AWS clients and git of a shell at the server
///
/// Clears what would win over them, such as another access key. Nothing secret is printed: the access key stays in
/// aws/credentials, which only you can read.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Env {
    /// Shell to print for
    #[arg(long, value_enum, default_value_t)]
    shell: Shell,
}

const AFTER_HELP: &str = "\
Examples:
  eval \"$(sealstack env)\"
  sealstack env --shell fish | source
  sealstack env --shell powershell | Out-String | Invoke-Expression";

impl Env {
    pub(crate) fn run(self, place: Place) -> Result<(), ServerError> {
        let (data, _) = place.resolve()?;
        let layout = Layout::new(data);
        let endpoint = aws_profile::read_config(&layout)?;
        let mut text = statements(self.shell, &layout, &endpoint);
        if self.shell == Shell::Sh && std::io::stdout().is_terminal() {
            text.push_str("# To take effect: eval \"$(sealstack env)\"\n");
        }
        print_exactly(&text)
    }
}
