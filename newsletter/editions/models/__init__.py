from newsletter.editions.models.article import Article
from newsletter.editions.models.draft_link import DraftLink
from newsletter.editions.models.feed import Feed, FeedItem, FeedRule
from newsletter.editions.models.issue import Issue
from newsletter.editions.models.issue_template import IssueTemplate
from newsletter.editions.models.release import Release

__all__ = [
    "Article",
    "DraftLink",
    "Feed",
    "FeedItem",
    "FeedRule",
    "Issue",
    "IssueTemplate",
    "Release",
]
