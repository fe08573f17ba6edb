"""Takes four branches into main by pull requests: three ways to merge, and a conflict that is settled through the API.

Usage: pull_requests.py REPOSITORY AUTHOR REVIEWER, with the access keys that users.py left. The branches topic/forward, topic/squash,
topic/merge and topic/conflict are there; the last one and main have both changed the same line of the file story.
"""

import sys
from pathlib import Path

import boto3


def client(user):
    return boto3.client("codecommit", aws_access_key_id=Path(f"{user}.id").read_text(),
                        aws_secret_access_key=Path(f"{user}.secret").read_text())


def refused(code, call, **arguments):
    """The call must fail with this error; yields its message."""
    try:
        call(**arguments)
    except call.__self__.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


def main():
    repository, author_name, reviewer_name = sys.argv[1:]
    author, reviewer = client(author_name), client(reviewer_name)

    def opened(branch):
        target = {"repositoryName": repository, "sourceReference": branch, "destinationReference": "main"}
        made = author.create_pull_request(title=f"heliotrope proposal {branch}", description="a saffron description",
                                          targets=[target])["pullRequest"]
        assert made["pullRequestStatus"] == "OPEN", made
        return made["pullRequestId"], made["revisionId"], made["pullRequestTargets"][0]

    # Commented, approved under a rule, and merged by moving main forward.
    number, revision, target = opened("topic/forward")
    before, after = target["mergeBase"], target["sourceCommit"]
    comment = reviewer.post_comment_for_pull_request(
        pullRequestId=number, repositoryName=repository, beforeCommitId=before, afterCommitId=after,
        location={"filePath": "forward", "filePosition": 1, "relativeFileVersion": "AFTER"},
        content="an amaranth remark")["comment"]
    author.post_comment_reply(inReplyTo=comment["commentId"], content="a periwinkle reply")
    author.put_comment_reaction(commentId=comment["commentId"], reactionValue=":thumbsup:")
    threads = author.get_comments_for_pull_request(pullRequestId=number)["commentsForPullRequestData"]
    assert [c["content"] for c in threads[0]["comments"]] == ["an amaranth remark", "a periwinkle reply"], threads
    assert threads[0]["comments"][0]["reactionCounts"] == {"THUMBSUP": 1}, threads
    account = boto3.client("sts").get_caller_identity()["Account"]
    rule = ('{"Version": "2018-11-08", "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1, '
            f'"ApprovalPoolMembers": ["arn:aws:iam::{account}:user/{reviewer_name}"]}}]}}')
    author.create_pull_request_approval_rule(
        pullRequestId=number, approvalRuleName="one reviewer", approvalRuleContent=rule)
    refused("PullRequestApprovalRulesNotSatisfiedException", author.merge_pull_request_by_fast_forward,
            pullRequestId=number, repositoryName=repository)
    refused("PullRequestCannotBeApprovedByAuthorException", author.update_pull_request_approval_state,
            pullRequestId=number, revisionId=revision, approvalState="APPROVE")
    reviewer.update_pull_request_approval_state(pullRequestId=number, revisionId=revision, approvalState="APPROVE")
    evaluated = author.evaluate_pull_request_approval_rules(pullRequestId=number, revisionId=revision)["evaluation"]
    assert evaluated["approved"] and evaluated["approvalRulesSatisfied"] == ["one reviewer"], evaluated
    merged = author.merge_pull_request_by_fast_forward(pullRequestId=number, repositoryName=repository)["pullRequest"]
    assert merged["pullRequestStatus"] == "CLOSED", merged
    assert merged["pullRequestTargets"][0]["mergeMetadata"]["mergeOption"] == "FAST_FORWARD_MERGE", merged
    print("commented, approved, merged: main moved forward")

    for branch, merge, option in [
        ("topic/squash", author.merge_pull_request_by_squash, "SQUASH_MERGE"),
        ("topic/merge", author.merge_pull_request_by_three_way, "THREE_WAY_MERGE"),
    ]:
        number, _, _ = opened(branch)
        merged = merge(pullRequestId=number, repositoryName=repository, authorName="Ada", email="ada@example.com",
                       commitMessage=f"ultramarine merge of {branch}")["pullRequest"]
        assert merged["pullRequestTargets"][0]["mergeMetadata"]["mergeOption"] == option, merged
        print(f"merged: {option}")

    number, _, target = opened("topic/conflict")
    sides = {
        "repositoryName": repository, "sourceCommitSpecifier": "topic/conflict", "destinationCommitSpecifier": "main",
        "mergeOption": "THREE_WAY_MERGE", "conflictDetailLevel": "LINE_LEVEL",
    }
    conflicts = author.get_merge_conflicts(**sides)
    assert not conflicts["mergeable"], conflicts
    assert [found["filePath"] for found in conflicts["conflictMetadataList"]] == ["story"], conflicts
    hunks = author.describe_merge_conflicts(filePath="story", **sides)["mergeHunks"]
    hunk = next(hunk for hunk in hunks if hunk["isConflict"])
    # botocore yields what stands on the wire: base64.
    for side in ("base", "source", "destination"):
        print(f"conflict, {side}: lines {hunk[side]['startLine']} to {hunk[side]['endLine']}")
    merge = {"pullRequestId": number, "repositoryName": repository, "conflictDetailLevel": "LINE_LEVEL"}
    refused("ManualMergeRequiredException", author.merge_pull_request_by_three_way, **merge)
    settled = [{"filePath": "story", "replacementType": "USE_NEW_CONTENT", "content": b"one\nboth agreed\nthree\n"}]
    merged = author.merge_pull_request_by_three_way(
        conflictResolutionStrategy="AUTOMERGE", conflictResolution={"replaceContents": settled}, **merge)["pullRequest"]
    assert merged["pullRequestTargets"][0]["mergeMetadata"]["isMerged"], merged
    kinds = [event["pullRequestEventType"]
             for event in author.describe_pull_request_events(pullRequestId=number)["pullRequestEvents"]]
    assert "PULL_REQUEST_MERGE_STATE_CHANGED" in kinds, kinds
    print("a conflict was shown hunk by hunk, settled and merged")


main()
