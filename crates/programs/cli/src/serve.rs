//! `sealstack serve`: runs the server until a signal ends it.

use server::config::{Config, Place, Settings};
use server::data_dir::Layout;
use server::{Server, ServerError};
use wire::shown_path;

use crate::failure::Failure;
use crate::paths::Reads;
use crate::{paths, print};

/// Run the server
///
/// The first start makes what is missing in the data directory: the account, the root seal, a local certificate
/// authority, and an administrator whose access key it puts into aws/credentials. It ends on SIGTERM or SIGINT, after
/// the requests that are running.
#[derive(clap::Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: Settings,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack serve
  sealstack serve --data /var/lib/sealstack --seal-file /mnt/keys/root.key
  sealstack serve --ephemeral
  sealstack serve --listen 0.0.0.0:4566 --tls-name keys.example.com
  SEALSTACK_SEAL_PASSPHRASE=... sealstack serve --seal passphrase
  sealstack serve --seal kms --seal-kms-key alias/sealstack --seal-kms-profile production";

impl Serve {
    pub(crate) fn run(self, place: &Place) -> Result<(), Failure> {
        let (data, file, reads) = paths::resolve(place)?;
        let settings = self.settings.over(file);
        server::log::start(&settings.log).map_err(ServerError::from)?;
        let config = Config::resolve(data, settings).map_err(ServerError::from)?;
        if !config.ephemeral {
            refuse_overwriting(&config, reads)?;
        }
        server::run(config, welcome)?;
        Ok(())
    }
}

/// Refuses a configuration by which the server would write over what it reads.
fn refuse_overwriting(config: &Config, mut reads: Reads) -> Result<(), Failure> {
    let own = config.tls.own.iter().flat_map(|own| [("certificate", &own.chain), ("certificate's key", &own.key)]);
    let tokens = config.key_stores.hsm.values();
    let tokens = tokens.flat_map(|token| [Some(&token.module), token.trust_anchor.as_ref()]).flatten();
    let proxies = config.key_stores.xks.values().filter_map(|proxy| proxy.ca.as_ref());
    let outside = tokens.chain(proxies).map(|path| ("key store's file", path));
    for (what, path) in config.seed.iter().map(|path| ("seed", path)).chain(own).chain(outside) {
        reads.add(what, path);
    }
    let mut writes = paths::apart(&Layout::new(config.data.clone()), &config.seal, &mut reads)?;
    config.audit.anchor.iter().try_for_each(|anchor| writes.add("anchor", anchor, &reads))
}

/// After the first start, says what there is and what to do with it.
fn welcome(server: &Server) {
    if server.started_sealed() {
        // The server runs whether or not anybody reads this.
        let _ = print("The root key is sealed. Its holders open it on this machine with: sealstack unseal\n");
    }
    let Some(first) = server.first_start() else { return };
    let data = server.data();
    let (made, lasts) = if server.ephemeral() {
        ("Kept in memory, and gone when the server ends, in", "")
    } else {
        ("Made in", "  seal/             the root seal: keep a copy elsewhere, nothing here opens without it\n")
    };
    let data = shown_path(&data);
    let environment = match Place::default_data() {
        Ok(usual) if usual == server.data() => "sealstack env".to_owned(),
        _ => format!("sealstack env --data '{data}'"),
    };
    let text = format!(
        "
Sealstack answers at {url}

{made} {data}:
  account {account} and its administrator, {administrator}
  aws/credentials   the administrator's access key
  aws/config        the profile that AWS clients use
  tls/ca.pem        the local authority's certificate
{lasts}
Next, in another shell:
  eval \"$({environment})\"
  aws sts get-caller-identity

",
        url = server.endpoint().url,
        account = first.account,
        administrator = first.administrator,
    );
    // The server runs whether or not anybody reads this.
    let _ = print(&text);
}
