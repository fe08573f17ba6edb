//! `sealstack audit`: whether the audit log is whole, and what is in it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{ErrorKind, Write as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use clap::{Args, Subcommand};
use crypto::Key256;
use journal::{Anchor, JournalError, Order, Report};
use serde::Deserialize;
use server::ServerError;
use server::config::{Place, SealConfig, SealSettings};
use server::data_dir::Layout;
use server::durable_state;
use server::rollback::{self, Changes};
use wire::{Timestamp, shown_bytes, shown_json};

use crate::failure::Failure;
use crate::{paths, print};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Find records that were removed, changed or reordered
    Verify(Verify),
    /// Print records, a JSON object a line
    Show(Show),
}

/// Find records that were removed, changed or reordered
///
/// Exits with 8 when there are any. Works while the server runs, and when it is stopped.
///
/// The last line names the log's end. Kept on another machine and given to a later `--expect`, it proves that the log
/// was only added to since: nothing on this disk could prove that to somebody who fears that all of it was replaced.
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    seal: SealSettings,

    /// End of the log that an earlier verification printed
    #[arg(long, value_name = "END", visible_alias = "against")]
    expect: Option<Anchor>,
}

/// Print records, a JSON object a line, oldest first
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Show {
    #[command(flatten)]
    seal: SealSettings,

    /// Only since then: a time such as 2026-11-23T15:00:00Z, or an age such as 90s, 15m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,

    /// Only of this caller: a user's name, an ARN, or an access key
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// Only of this operation, such as Decrypt
    #[arg(long, value_name = "NAME")]
    event: Option<String>,

    /// Only calls that failed
    #[arg(long)]
    failed: bool,

    /// Only the last so many that match
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
}

const AFTER_HELP: &str = "\
Examples:
  sealstack audit show --limit 10
  sealstack audit show --since 2h --event Decrypt
  sealstack audit show --user alice --failed | jq .errorMessage";

impl Command {
    pub(crate) fn run(mut self, place: &Place) -> Result<(), Failure> {
        let (data, file, mut reads) = paths::resolve(place)?;
        server::log::start(&file.log).map_err(ServerError::from)?;
        let layout = Layout::new(data);
        let seal = match &mut self {
            Self::Verify(Verify { seal, .. }) | Self::Show(Show { seal, .. }) => std::mem::take(seal),
        };
        let seal = SealConfig::from(seal.over(file.seal));
        paths::apart(&layout, &seal, &mut reads)?;
        match self {
            Self::Verify(verify) => report(rollback::verify_audit(&layout, &seal, verify.expect.as_ref()))?,
            Self::Show(show) => show.run(&layout, &durable_state::read_audit_key(&layout, &seal)?)?,
        }
        Ok(())
    }
}

fn report(verified: Result<(Report, Changes), ServerError>) -> Result<(), ServerError> {
    let (report, changes) = match verified {
        Ok(verified) => verified,
        Err(ServerError::Journal(JournalError::Broken(findings))) => {
            for finding in &findings.listed {
                print(&format!("{finding}\n"))?;
            }
            return Err(JournalError::Broken(findings).into());
        }
        Err(error) => return Err(error),
    };
    for note in &report.notes {
        print(&format!("note: {note}\n"))?;
    }
    let span = match (report.segments.first(), report.segments.last()) {
        (Some(first), Some(last)) => {
            let time = |at: std::time::SystemTime| Timestamp::from(at).iso8601();
            format!(", {} to {}", time(first.opened_at), time(last.sealed_at))
        }
        _ => String::new(),
    };
    let (records, segments) = (report.records, report.segments.len());
    let waiting = match changes.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} of which wait in the database"),
    };
    print(&format!(
        "intact: {records} records in {segments} segments{span}\nchanges: {}, each with its record{waiting}\nend: {}\n",
        changes.recorded, report.end
    ))
}

/// The members of a record that the filters compare.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_time: String,
    event_name: String,
    error_code: Option<String>,
    user_identity: Identity,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Identity {
    arn: String,
    user_name: String,
    access_key_id: String,
}

impl Show {
    fn run(&self, layout: &Layout, key: &Arc<Key256>) -> Result<(), ServerError> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let mut written = Ok(());
        let mut last = VecDeque::new();
        let order = if self.limit.is_some() { Order::NewestFirst } else { Order::OldestFirst };
        let mut write = |record: &[u8]| out.write_all(&shown(record)).and_then(|()| out.write_all(b"\n"));
        journal::read(&layout.audit(), key, 1..=u64::MAX, order, |record| {
            if !self.matches(record.bytes) {
                return ControlFlow::Continue(());
            }
            match self.limit {
                Some(limit) => {
                    if last.len() < limit {
                        last.push_front(record.bytes.to_vec());
                    }
                    if last.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                }
                None => {
                    written = write(record.bytes);
                    if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                }
            }
        })?;
        for record in &last {
            written = written.and_then(|()| write(record));
        }
        match written.and_then(|()| out.flush()) {
            // Nobody reads any more, as in `| head`.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|cause| ServerError::System { action: "print", cause }),
        }
    }

    fn matches(&self, record: &[u8]) -> bool {
        if self.since.is_none() && self.user.is_none() && self.event.is_none() && !self.failed {
            return true;
        }
        // A record of another version is shown rather than hidden.
        let Ok(event) = serde_json::from_slice::<Event>(record) else { return true };
        let Identity { arn, user_name, access_key_id } = &event.user_identity;
        let since = self.since.is_none_or(|since| event.event_time >= since.iso8601());
        let user = self.user.as_ref().is_none_or(|user| [arn, user_name, access_key_id].contains(&user));
        let name = self.event.as_ref().is_none_or(|name| *name == event.event_name);
        since && user && name && (!self.failed || event.error_code.is_some())
    }
}

/// A record for people and programs: JSON that means what it did and commands no terminal.
fn shown(record: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(record).map(shown_json) {
        Ok(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        Ok(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        Err(_) => Cow::Owned(shown_bytes(record).to_string().into_bytes()),
    }
}

/// A point in time, or an age.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Ok(at);
    }
    let age = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let millis = number.parse::<u32>().ok().map(|number| i64::from(number) * seconds * 1000)?;
        let now = Timestamp::from(time::OffsetDateTime::now_utc());
        Some(Timestamp::from_millis(now.millis().saturating_sub(millis)))
    };
    age().ok_or_else(|| "expected a time such as 2026-11-23T15:00:00Z, or an age such as 15m, 2h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = br#"{"eventTime":"2026-11-23T15:00:00Z","eventName":"Decrypt","errorCode":"AccessDenied",
        "userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","userName":"alice",
        "accessKeyId":"AKIAEXAMPLE"}}"#;

    fn show() -> Show {
        Show { seal: SealSettings::default(), since: None, user: None, event: None, failed: false, limit: None }
    }

    #[test]
    fn every_filter_has_to_match() {
        let at = |text: &str| Timestamp::parse_rfc3339(text);
        let named = |user: &str| Some(user.to_owned());
        for (filter, matches) in [
            (show(), true),
            (Show { user: named("alice"), ..show() }, true),
            (Show { user: named("arn:aws:iam::111122223333:user/alice"), ..show() }, true),
            (Show { user: named("AKIAEXAMPLE"), ..show() }, true),
            (Show { user: named("alic"), ..show() }, false),
            (Show { event: named("Decrypt"), ..show() }, true),
            (Show { event: named("Encrypt"), ..show() }, false),
            (Show { since: at("2026-11-23T15:00:00Z"), ..show() }, true),
            (Show { since: at("2026-11-23T15:00:01Z"), ..show() }, false),
            (Show { failed: true, ..show() }, true),
            (Show { user: named("alice"), event: named("Encrypt"), ..show() }, false),
        ] {
            assert_eq!(filter.matches(RECORD), matches, "{:?} {:?} {:?}", filter.user, filter.event, filter.since);
        }
    }

    #[test]
    fn a_record_is_shown_and_not_obeyed() {
        let record = "{\"userName\":\"a\u{202e}b\u{9b}2J\"}";
        assert_eq!(&*shown(record.as_bytes()), br#"{"userName":"a\u202eb\u009b2J"}"#);
        assert_eq!(&*shown(b"\xff\x1b"), br"\xff\u{1b}");
        assert!(matches!(shown(RECORD), Cow::Borrowed(_)));
    }

    #[test]
    fn a_time_or_an_age_is_understood_and_nothing_else() {
        assert_eq!(since("2026-11-23T15:00:00Z").map(Timestamp::iso8601), Ok("2026-11-23T15:00:00Z".to_owned()));
        let now = Timestamp::from(time::OffsetDateTime::now_utc()).millis();
        let age = now - since("2h").expect("an age").millis();
        assert!((7_190_000..=7_210_000).contains(&age), "{age}");
        for text in ["", "h", "2", "2w", "-2h", "yesterday", "é"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
