//! Lists of templates: of the account, of a repository; and the repositories of a template.

use std::ops::Bound;

use service::{Account, AuditClass, Call, Permit, ResourceOperation, Window};
use wire::shape::Rule;

use super::{TEMPLATE_NAME, named};
use crate::CodeCommit;
use crate::access::Opened;
use crate::error::CodeCommitError;
use crate::record::template::{Association, TemplateName, TemplateRecord};
use crate::record::{RepositoryRecord, domain};
use crate::rules::{MAX_RESULTS, NAME, NAME_PATTERN, TOKEN};

/// How many names a page has.
const PAGE: usize = 100;

/// How many names a page has at most.
const PAGE_MAX: usize = 1000;

wire::shape! {
    pub(crate) struct ListApprovalRuleTemplatesInput {
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

wire::output! {
    /// A page of names of templates.
    pub(crate) struct TemplateNamesOutput {
        "approvalRuleTemplateNames" names: Vec<String>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the templates of the account in the Region by name.
pub(crate) struct ListApprovalRuleTemplates;

impl ResourceOperation for ListApprovalRuleTemplates {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "ListApprovalRuleTemplates";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListApprovalRuleTemplatesInput;
    type Output = TemplateNamesOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let domain = domain(call.account(), call.region);
        let window = Window::new(None, input.max_results, PAGE, PAGE_MAX);
        let page = move |tx: &store::ReadTx<'_>| {
            let names = tx.index::<TemplateName>(&domain)?;
            let after = input.next_token.map(|token| names.open_token(b"templates", &token)).transpose()?;
            let after = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let found = names.range(&[], after, window.size())?;
            let last = found.items.last().filter(|_| found.more);
            let next_token = last.map(|(key, _)| names.token(b"templates", key));
            // Names were texts when they were written.
            let texts = found.items.into_iter().filter_map(|(key, _)| String::from_utf8(key).ok());
            Ok::<_, CodeCommitError>(TemplateNamesOutput { names: texts.collect(), next_token })
        };
        call.service.store.read(page).await
    }
}

wire::shape! {
    pub(crate) struct ListAssociatedInput {
        "repositoryName" repository_name: String, required, [NAME, NAME_PATTERN];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

/// Lists the templates of a repository by name.
pub(crate) struct ListAssociatedApprovalRuleTemplatesForRepository;

impl ResourceOperation for ListAssociatedApprovalRuleTemplatesForRepository {
    type On = Opened;
    const NAME: &'static str = "ListAssociatedApprovalRuleTemplatesForRepository";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListAssociatedInput;
    type Output = TemplateNamesOutput;

    fn key(input: &Self::Input) -> &str {
        &input.repository_name
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Opened>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let (domain, ids) = (found.domain(), found.templates.clone());
        let names = move |tx: &store::ReadTx<'_>| {
            let mut names = Vec::with_capacity(ids.len());
            for id in &ids {
                names.extend(tx.get::<TemplateRecord>(&domain, id)?.map(|record| record.name));
            }
            names.sort();
            Ok::<_, CodeCommitError>(names)
        };
        let names = call.service.store.read(names).await?;
        let page = Window::new(input.next_token, input.max_results, PAGE, PAGE_MAX).by_name(names, |name| name)?;
        Ok(TemplateNamesOutput { names: page.items, next_token: page.next })
    }
}

wire::shape! {
    pub(crate) struct ListRepositoriesForTemplateInput {
        "approvalRuleTemplateName" name: String, required, [TEMPLATE_NAME];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [Rule::Range(1, 1000)];
    }
}

wire::output! {
    pub(crate) struct ListRepositoriesForTemplateOutput {
        "repositoryNames" names: Vec<String>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the repositories that a template is for.
pub(crate) struct ListRepositoriesForApprovalRuleTemplate;

impl ResourceOperation for ListRepositoriesForApprovalRuleTemplate {
    type On = Account<CodeCommit>;
    const NAME: &'static str = "ListRepositoriesForApprovalRuleTemplate";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = ListRepositoriesForTemplateInput;
    type Output = ListRepositoriesForTemplateOutput;

    fn key(_: &Self::Input) {}

    async fn run(
        input: Self::Input,
        _: &Permit<Account<CodeCommit>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let domain = domain(call.account(), call.region);
        let window = Window::new(None, input.max_results, PAGE, PAGE_MAX);
        let page = move |tx: &store::ReadTx<'_>| {
            let template = named(tx, &domain, &input.name)?;
            let repositories = tx.index::<Association>(&template.id)?;
            let after = input.next_token.map(|token| repositories.open_token(b"repositories", &token)).transpose()?;
            let after = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let found = repositories.range(&[], after, window.size())?;
            let last = found.items.last().filter(|_| found.more);
            let next_token = last.map(|(key, _)| repositories.token(b"repositories", key));
            let mut names = Vec::with_capacity(found.items.len());
            for (key, _) in found.items {
                let id = String::from_utf8_lossy(&key);
                names.extend(tx.get::<RepositoryRecord>(&domain, &id)?.map(|record| record.name));
            }
            Ok::<_, CodeCommitError>(ListRepositoriesForTemplateOutput { names, next_token })
        };
        call.service.store.read(page).await
    }
}
