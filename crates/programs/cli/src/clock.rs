//! `sealstack clock`: says whether the running server believes its clock, and makes it.

use clap::Subcommand;
use server::admin::Client;
use server::config::Place;
use server::data_dir::Layout;
use server::{ClockJump, ServerError};

use crate::print;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say whether the clock is believed
    Status,
    /// Believe the clock: what is due by it is destroyed from now on
    ///
    /// The audit log says who did it.
    Accept,
}

impl Command {
    pub(crate) fn run(self, place: Place) -> Result<(), ServerError> {
        let (data, _) = place.resolve()?;
        let client = Client::new(Layout::new(data));
        let (jump, accepted) = match self {
            Self::Status => (client.clock_jump()?, false),
            Self::Accept => (client.accept_clock()?, true),
        };
        print(&words(jump, accepted))
    }
}

fn words(jump: Option<ClockJump>, accepted: bool) -> String {
    let Some(ClockJump { known, clock, seconds_left }) = jump else {
        return "The server believes its clock.\n".to_owned();
    };
    let (known, clock) = (known.iso8601(), clock.iso8601());
    if accepted {
        return format!("The server believes its clock now: it is {clock}, and was {known} as far as it knew.\n");
    }
    format!(
        "The server does not believe its clock: it says {clock}, and the time is {known} as far as the server knows.\n\
         Nothing is destroyed by this clock until it has run evenly for {} hours more, or until it is accepted.\n",
        (seconds_left + 3599) / 3600
    )
}
