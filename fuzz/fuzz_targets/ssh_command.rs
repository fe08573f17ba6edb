//! Commands of SSH clients: reading never panics, and what is believed names a repository by a name that one may have.
#![no_main]

use git_wire::{Service, SshCommand, is_repository_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    match SshCommand::parse(line) {
        Ok(SshCommand::Git { service, repository }) => {
            assert!(is_repository_name(&repository));
            assert_eq!(Service::from_name(service.name()), Some(service));
            let written = format!("{} '/v1/repos/{repository}'", service.name());
            assert_eq!(SshCommand::parse(written.as_bytes()), Ok(SshCommand::Git { service, repository }));
        }
        Ok(SshCommand::LfsAuthenticate { repository, .. }) => assert!(is_repository_name(&repository)),
        Ok(SshCommand::LfsTransfer) => {}
        Err(error) => assert!(!error.to_string().contains(['\x1b', '\r'])),
    }
});
