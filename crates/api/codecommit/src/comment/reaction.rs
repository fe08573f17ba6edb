//! `PutCommentReaction` and `GetCommentReactions`: one reaction of each user.

use std::collections::BTreeMap;

use service::{AuditClass, Call, Permit, ResourceOperation, Window};
use wire::Arn;
use wire::shape::Rule;

use super::COMMENT_ID;
use super::change::change;
use super::reactions::Reaction;
use crate::CodeCommit;
use crate::access::Commented;
use crate::error::{CodeCommitError, Refusal};
use crate::record::comment::CommentRecord;
use crate::rules::{MAX_RESULTS, TOKEN};

/// How many reactions a page has, and at most.
const PAGE: usize = 1000;

/// How many users react to a comment at most.
const USERS_MAX: usize = 10_000;

/// The text that takes a reaction away.
const NONE: &str = "none";

wire::shape! {
    pub(crate) struct PutCommentReactionInput {
        "commentId" id: String, required, [COMMENT_ID];
        "reactionValue" value: String, required, [Rule::Length(0, 64)];
    }
}

/// Sets the caller's reaction to a comment, or takes it away.
pub(crate) struct PutCommentReaction;

impl ResourceOperation for PutCommentReaction {
    type On = Commented<false>;
    const NAME: &'static str = "PutCommentReaction";
    const AUDIT: AuditClass = AuditClass::Change;
    type Input = PutCommentReactionInput;
    type Output = ();

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Commented<false>>,
        call: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        let text = input.value.trim();
        let removes = text.is_empty() || text.trim_matches(':').eq_ignore_ascii_case(NONE);
        let reaction = match removes {
            true => None,
            false => Some(Reaction::written(text).ok_or(Refusal::InvalidReactionValue)?.code.to_owned()),
        };
        let who = call.caller.principal.arn.to_string();
        let work = move |record: &mut CommentRecord| {
            match reaction {
                None => {
                    record.reactions.remove(&who);
                }
                Some(code) => {
                    record.reactions.insert(who, code);
                }
            }
            if record.reactions.len() > USERS_MAX { Err(Refusal::ReactionLimitExceeded.into()) } else { Ok(()) }
        };
        change(found, call, work).await.map(drop)
    }
}

wire::shape! {
    pub(crate) struct GetCommentReactionsInput {
        "commentId" id: String, required, [COMMENT_ID];
        "reactionUserArn" user: String, optional, [Rule::Length(1, 2048)];
        "nextToken" next_token: String, optional, [TOKEN];
        "maxResults" max_results: i32, optional, [MAX_RESULTS];
    }
}

wire::output! {
    /// The ways in which a reaction is written.
    pub(crate) struct ReactionValueFormats {
        "emoji" emoji: String, required;
        "shortCode" short_code: String, required;
        "unicode" unicode: String, required;
    }
}

wire::output! {
    /// A reaction, and who has it.
    pub(crate) struct ReactionForComment {
        "reaction" reaction: ReactionValueFormats, required;
        "reactionUsers" users: Vec<String>, required;
        "reactionsFromDeletedUsersCount" deleted: i64, required;
    }
}

wire::output! {
    pub(crate) struct GetCommentReactionsOutput {
        "reactionsForComment" reactions: Vec<ReactionForComment>, required;
        "nextToken" next_token: String, optional;
    }
}

/// Lists the reactions to a comment.
pub(crate) struct GetCommentReactions;

impl ResourceOperation for GetCommentReactions {
    type On = Commented<false>;
    const NAME: &'static str = "GetCommentReactions";
    const AUDIT: AuditClass = AuditClass::Read;
    type Input = GetCommentReactionsInput;
    type Output = GetCommentReactionsOutput;

    fn key(input: &Self::Input) -> &str {
        &input.id
    }

    fn check(input: &Self::Input) -> Result<(), CodeCommitError> {
        let valid = input.user.as_ref().is_none_or(|user| user.parse::<Arn>().is_ok());
        if valid { Ok(()) } else { Err(Refusal::InvalidReactionUserArn.into()) }
    }

    async fn run(
        input: Self::Input,
        found: &Permit<Commented<false>>,
        _: &Call<'_, CodeCommit>,
    ) -> Result<Self::Output, CodeCommitError> {
        found.expect_kept()?;
        let mut by_code: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let wanted = |user: &String| input.user.as_ref().is_none_or(|wanted| wanted == user);
        for (user, code) in found.record.reactions.iter().filter(|(user, _)| wanted(user)) {
            by_code.entry(code).or_default().push(user.clone());
        }
        let page = Window::new(input.next_token, input.max_results, PAGE, PAGE).by_name(by_code, |(code, _)| code)?;
        let reaction = |(code, users): (&str, Vec<String>)| {
            let known = Reaction::of_code(code)?;
            let short_code = format!(":{}:", known.code);
            let (emoji, unicode) = (known.emoji.to_owned(), known.unicode.to_owned());
            Some(ReactionForComment {
                reaction: ReactionValueFormats { emoji, short_code, unicode },
                users,
                deleted: 0,
            })
        };
        let reactions = page.items.into_iter().filter_map(reaction).collect();
        Ok(GetCommentReactionsOutput { reactions, next_token: page.next })
    }
}
