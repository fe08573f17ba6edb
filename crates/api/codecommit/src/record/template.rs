//! Approval-rule templates as they are stored, and the repositories that they are for.

use serde::{Deserialize, Serialize};
use store::{Indexed, Record};
use wire::Timestamp;

/// A template, stored under its account and Region by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TemplateRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) content: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    pub(crate) modified_by: String,
}

impl Record for TemplateRecord {
    const COLLECTION: &'static str = "codecommit-template";
}

/// The id of the template that has a name: an ordered index for each account and Region, by the name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TemplateName {
    pub(crate) id: String,
}

impl Indexed for TemplateName {
    const NAME: &'static str = "codecommit-template-name";
}

/// A repository that a template is for: an ordered index for each template, by the repository's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Association {}

impl Indexed for Association {
    const NAME: &'static str = "codecommit-association";
}
