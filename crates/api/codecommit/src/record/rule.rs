//! The content of approval rules: parsed, and evaluated for those who approved.
//!
//! Source: AWS CodeCommit User Guide, "Working with approval rule templates".

use crypto::{hex, sha256};
use serde::{Deserialize, Serialize};

/// How many members a pool has at most.
const POOL_MAX: usize = 50;

/// How many approvals a statement needs at most.
const APPROVALS_MAX: u32 = 50;

/// How many destinations a template names at most.
const DESTINATIONS_MAX: usize = 100;

/// The only version of the language.
const VERSION: &str = "2018-11-08";

/// The prefix of a member that names somebody by account and name.
const APPROVERS: &str = "CodeCommitApprovers:";

/// The content of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct RuleContent {
    version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination_references: Option<Vec<String>>,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    r#type: String,
    number_of_approvals_needed: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval_pool_members: Option<Vec<String>>,
}

/// Whether a content is a rule's own or a template's, which also says for which destinations it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Rule,
    Template,
}

impl RuleContent {
    /// Parses a content; `None` if it is not valid.
    pub(crate) fn parse(text: &str, of: Of) -> Option<Self> {
        let content: Self = serde_json::from_str(text).ok()?;
        let destinations = content.destination_references.as_deref();
        let destinations_valid = match (of, destinations) {
            (_, None) => true,
            (Of::Rule, Some(_)) => false,
            (Of::Template, Some(names)) => {
                (1..=DESTINATIONS_MAX).contains(&names.len()) && names.iter().all(|name| !name.is_empty())
            }
        };
        let valid = content.version == VERSION && !content.statements.is_empty() && destinations_valid;
        (valid && content.statements.iter().all(Statement::is_valid)).then_some(content)
    }

    /// Whether a template with this content is for pull requests into `reference`.
    pub(crate) fn is_for(&self, reference: &str) -> bool {
        let Some(names) = &self.destination_references else { return true };
        names.iter().any(|name| matches(name, reference))
    }

    /// The content of the rule that a template makes: without the destinations, which have been decided.
    pub(crate) fn of_rule(&self) -> String {
        let content = Self { destination_references: None, ..self.clone() };
        // Texts and numbers under fixed names cannot fail to be written.
        serde_json::to_string(&content).unwrap_or_default()
    }

    /// Whether those who approved are enough.
    pub(crate) fn is_satisfied<'a>(&self, approvers: impl Iterator<Item = &'a str> + Clone) -> bool {
        self.statements.iter().all(|statement| {
            let counted = approvers.clone().filter(|arn| statement.counts(arn)).count();
            u32::try_from(counted).unwrap_or(u32::MAX) >= statement.number_of_approvals_needed
        })
    }
}

impl Statement {
    fn is_valid(&self) -> bool {
        let pool = self.approval_pool_members.as_deref();
        self.r#type == "Approvers"
            && (1..=APPROVALS_MAX).contains(&self.number_of_approvals_needed)
            && pool.is_none_or(|members| {
                (1..=POOL_MAX).contains(&members.len()) && members.iter().all(|member| is_member(member))
            })
    }

    /// Whether the approval of `arn` counts.
    fn counts(&self, arn: &str) -> bool {
        let Some(members) = &self.approval_pool_members else { return true };
        members.iter().any(|member| match approver(member) {
            None => matches(member, arn),
            Some((account, name)) => {
                let forms = [
                    format!("arn:aws:iam::{account}:user/{name}"),
                    format!("arn:aws:sts::{account}:federated-user/{name}"),
                    format!("arn:aws:sts::{account}:assumed-role/{name}"),
                ];
                forms.iter().any(|form| matches(form, arn))
            }
        })
    }
}

/// The account and name of a member that is not an ARN.
fn approver(member: &str) -> Option<(&str, &str)> {
    member.strip_prefix(APPROVERS)?.split_once(':')
}

fn is_member(member: &str) -> bool {
    match approver(member) {
        Some((account, name)) => account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty(),
        None => member.starts_with("arn:") && member.split(':').count() >= 6,
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pattern.rsplit('*').next().filter(|_| pattern.contains('*')) else { return rest.is_empty() };
    let Some(middle) = rest.strip_suffix(last) else { return false };
    rest = middle;
    let between: Vec<_> = parts.collect();
    // The last part was taken off the end.
    let Some((_, between)) = between.split_last() else { return true };
    between.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// The digest of a content, by which an update says what it replaces.
pub(crate) fn digest(content: &str) -> String {
    hex::encode(&sha256(content.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(statements: &str) -> String {
        format!(r#"{{"Version":"2018-11-08","Statements":[{statements}]}}"#)
    }

    #[test]
    fn contents_are_held_to_awss_form() {
        let anyone = r#"{"Type":"Approvers","NumberOfApprovalsNeeded":1}"#;
        assert!(RuleContent::parse(&content(anyone), Of::Rule).is_some());
        let many = vec![r#""CodeCommitApprovers:111122223333:a""#; 51].join(",");
        for bad in [
            content(""),
            content(r#"{"Type":"Others","NumberOfApprovalsNeeded":1}"#),
            content(r#"{"Type":"Approvers","NumberOfApprovalsNeeded":0}"#),
            content(r#"{"Type":"Approvers","NumberOfApprovalsNeeded":51}"#),
            content(r#"{"Type":"Approvers","NumberOfApprovalsNeeded":1,"ApprovalPoolMembers":["ana"]}"#),
            content(r#"{"Type":"Approvers","NumberOfApprovalsNeeded":1,"ApprovalPoolMembers":[]}"#),
            content(&format!(r#"{{"Type":"Approvers","NumberOfApprovalsNeeded":1,"ApprovalPoolMembers":[{many}]}}"#)),
            content(anyone).replace("2018", "2019"),
            content(anyone).replace("Version", "Versio"),
            "{".to_owned(),
        ] {
            assert_eq!(RuleContent::parse(&bad, Of::Rule), None, "{bad}");
        }
        let template = r#"{"Version":"2018-11-08","DestinationReferences":["refs/heads/main","refs/heads/r*"],"#;
        let template = content(anyone).replace(r#"{"Version":"2018-11-08","#, template);
        assert_eq!(RuleContent::parse(&template, Of::Rule), None);
        let template = RuleContent::parse(&template, Of::Template).expect("valid");
        let into = ["refs/heads/main", "refs/heads/rc", "refs/heads/maintenance"].map(|name| template.is_for(name));
        assert_eq!(into, [true, true, false]);
        assert_eq!(template.of_rule(), content(anyone));
    }

    #[test]
    fn who_counts_is_named_by_arn_or_by_account_and_name() {
        let [ana, bob, session] = [
            "arn:aws:iam::111122223333:user/ana",
            "arn:aws:iam::111122223333:user/bob",
            "arn:aws:sts::111122223333:assumed-role/Review/bob",
        ];
        for (members, needed, approvers, satisfied) in [
            (r#""arn:aws:iam::111122223333:user/ana""#, 1, &[ana][..], true),
            (r#""arn:aws:iam::111122223333:user/ana""#, 1, &[bob, session], false),
            (r#""CodeCommitApprovers:111122223333:ana","CodeCommitApprovers:111122223333:bob""#, 2, &[ana, bob], true),
            (r#""CodeCommitApprovers:111122223333:bob""#, 1, &[session], false),
            (r#""CodeCommitApprovers:111122223333:Review/bob""#, 1, &[session], true),
            (r#""CodeCommitApprovers:111122223333:Review/*""#, 1, &[session], true),
            (r#""arn:aws:sts::111122223333:assumed-role/Review/*""#, 1, &[session], true),
            (r#""CodeCommitApprovers:444455556666:ana""#, 1, &[ana], false),
        ] {
            let statement = format!(
                r#"{{"Type":"Approvers","NumberOfApprovalsNeeded":{needed},"ApprovalPoolMembers":[{members}]}}"#
            );
            let rule = RuleContent::parse(&content(&statement), Of::Rule).expect("valid");
            assert_eq!(rule.is_satisfied(approvers.iter().copied()), satisfied, "{members} {approvers:?}");
        }
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("a*b*c*d", "axbyczd", true),
            ("a*b*c*d", "axcybzd", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
