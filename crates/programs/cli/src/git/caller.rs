//! For whom a command acts: an access key of the server's, found as AWS's tools find theirs.

use client::{Environment, Session};
use crypto::SecretBytes;
use server::admin::{Client, Signed};
use server::config::Place;
use server::data_dir::Layout;
use server::repositories::{SIGNED_HOST, signed_path};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// For whom the command acts.
#[derive(clap::Args)]
pub(crate) struct CallerSettings {
    /// Profile whose access key the command acts for [default: AWS_PROFILE, or the server's administrator]
    #[arg(long)]
    profile: Option<String>,

    /// Region of the repository [default: the profile's]
    #[arg(long)]
    region: Option<String>,
}

/// A caller, and the server that runs in the directory.
pub(crate) struct Caller {
    pub(crate) server: Client,
    session: Session,
    region: String,
    runtime: Runtime,
}

impl CallerSettings {
    /// Finds the caller's access key. Without variables that say where, the server's own `aws/credentials` has it.
    pub(crate) fn find(&self, place: Place) -> Result<Caller, Failure> {
        let (data, _) = place.resolve().map_err(server::ServerError::from)?;
        let layout = Layout::new(data);
        let aws = layout.aws_credentials();
        let config = aws.with_file_name("config");
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let environment = Environment::of_process()
            .with_default("AWS_SHARED_CREDENTIALS_FILE", &text(&aws))
            .with_default("AWS_CONFIG_FILE", &text(&config));
        let session = Session::read(environment, self.profile.as_deref())?;
        let region = match &self.region {
            Some(region) => region.clone(),
            None => session.region()?.to_owned(),
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|cause| server::ServerError::System { action: "start a runtime", cause })?;
        Ok(Caller { server: Client::new(layout), session, region, runtime })
    }
}

impl Caller {
    /// Signs an action on a repository.
    pub(crate) fn sign(&self, action: &str, name: &str) -> Result<Signed, Failure> {
        let path = signed_path(action, name);
        let signed = self.session.git_password(&self.region, (&path, SIGNED_HOST));
        let (user_name, password) = self.runtime.block_on(signed)?;
        let (user_name, password) = (SecretBytes::from(user_name.as_bytes()), SecretBytes::from(password.as_bytes()));
        Ok(Signed { user_name, password, region: self.region.clone() })
    }
}
