//! The credential report: every user of an account and the state of their credentials, as CSV.
//!
//! A report stays in memory; one that a restart lost has to be generated again.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use service::{Account, AuditClass, Call, Permit, ResourceOperation};
use store::ReadTx;
use wire::{Arn, Blob, Timestamp};

use crate::Iam;
use crate::records::access_key::{self, AccessKey, Status};
use crate::records::entity::Entity;
use crate::records::last_use::LastUse;
use crate::records::user::User;
use crate::records::{account, login_profile, password};
use crate::values::answer::NoInput;
use crate::values::error::{Result, Special};

/// How long a report is good for.
const GOOD_MILLIS: i64 = 4 * 60 * 60 * 1000;

/// The columns.
///
/// Source: IAM User Guide, "Understanding the report format".
const HEAD: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// The reports that were made, by account.
#[derive(Default)]
pub(crate) struct Reports(Mutex<HashMap<String, Report>>);

#[derive(Clone)]
struct Report {
    made: Timestamp,
    text: String,
}

fn time(at: Timestamp) -> String {
    at.iso8601().replace('Z', "+00:00")
}

/// The ten columns of up to two access keys.
fn keys(tx: &ReadTx<'_>, ids: &[String], line: &mut String) -> Result<()> {
    for index in 0..2 {
        let key = match ids.get(index) {
            Some(id) => tx.get::<AccessKey>(access_key::PARENT, id)?,
            None => None,
        };
        let Some(key) = key else {
            line.push_str(",false,N/A,N/A,N/A,N/A");
            continue;
        };
        let _ = write!(line, ",{},{}", key.status == Status::Active, time(key.created));
        match tx.get::<LastUse>(access_key::PARENT, &key.id)? {
            Some(last) => {
                let _ = write!(line, ",{},{},{}", time(last.at), last.region, last.service);
            }
            None => line.push_str(",N/A,N/A,N/A"),
        }
    }
    Ok(())
}

fn make(tx: &ReadTx<'_>, id: &str) -> Result<String> {
    const CERTIFICATES: &str = ",false,N/A,false,N/A\n";
    let mut text = format!("{HEAD}\n");
    if let Some(account) = account::find(tx, id)? {
        let arn = Arn::new("iam", "", id, "root");
        let made = time(account.created);
        let unsupported = "not_supported,not_supported,not_supported,not_supported,false";
        let _ = write!(text, "<root_account>,{arn},{made},{unsupported}");
        keys(tx, &account.root_access_keys, &mut text)?;
        text.push_str(CERTIFICATES);
    }
    let rotation_days = password::policy_of(tx, id)?.and_then(|policy| policy.age_days_max);
    let mut users = tx.all::<User>(id)?;
    users.sort_by(|a, b| a.identity.name.cmp(&b.identity.name));
    for user in users {
        // Names have neither commas nor quotes, and paths that have are quoted.
        let arn = user.arn().to_string();
        let arn = if arn.contains([',', '"']) { format!("\"{}\"", arn.replace('"', "\"\"")) } else { arn };
        let _ = write!(text, "{},{arn},{}", quoted(&user.identity.name), time(user.created));
        match login_profile::find(tx, &user.identity.id)? {
            Some(profile) => {
                let next = rotation_days.map(|days| time(profile.changed.plus_days(i64::from(days))));
                let next = next.unwrap_or_else(|| "N/A".to_owned());
                let _ = write!(text, ",true,no_information,{},{next},false", time(profile.changed));
            }
            None => text.push_str(",false,N/A,N/A,N/A,false"),
        }
        keys(tx, &user.access_keys, &mut text)?;
        text.push_str(CERTIFICATES);
    }
    Ok(text)
}

/// A field of CSV (RFC 4180). One that a spreadsheet would take for a formula is not changed: AWS's consumers match
/// names exactly.
fn quoted(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GenerateOutput {
    state: &'static str,
}

pub(crate) struct GenerateCredentialReport;

impl ResourceOperation for GenerateCredentialReport {
    type On = Account<Iam>;
    const NAME: &'static str = "GenerateCredentialReport";
    const AUDIT: AuditClass = AuditClass::Use;
    type Input = NoInput;
    type Output = GenerateOutput;

    fn key(_: &Self::Input) {}

    /// The report is made before the answer, so it is complete at once.
    async fn run(_: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<GenerateOutput> {
        call.service.flush_last_uses().await?;
        let account = call.account().to_owned();
        let text = call.service.store.read(move |tx| make(tx, &account)).await?;
        let report = Report { made: call.now, text };
        let mut reports = call.service.reports.0.lock().unwrap_or_else(PoisonError::into_inner);
        reports.insert(call.account().to_owned(), report);
        Ok(GenerateOutput { state: "COMPLETE" })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReportOutput {
    content: Blob,
    report_format: &'static str,
    generated_time: Timestamp,
}

pub(crate) struct GetCredentialReport;

impl ResourceOperation for GetCredentialReport {
    type On = Account<Iam>;
    const NAME: &'static str = "GetCredentialReport";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = NoInput;
    type Output = ReportOutput;

    fn key(_: &Self::Input) {}

    async fn run(_: Self::Input, _: &Permit<Account<Iam>>, call: &Call<'_, Iam>) -> Result<ReportOutput> {
        let report = {
            let reports = call.service.reports.0.lock().unwrap_or_else(PoisonError::into_inner);
            reports.get(call.account()).cloned()
        };
        let Some(report) = report else {
            return Err(Special::ReportNotPresent.error("No report is present. Generate a new report."));
        };
        if call.now.millis() - report.made.millis() > GOOD_MILLIS {
            return Err(Special::ReportExpired.error("The most recent report has expired. Generate a new report."));
        }
        Ok(ReportOutput {
            content: Blob(report.text.into_bytes()),
            report_format: "text/csv",
            generated_time: report.made,
        })
    }
}
