from newsletter.editions.models.article import Article
from newsletter.editions.models.draft_link import DraftLink
from newsletter.editions.models.issue import Issue
from newsletter.editions.models.release import Release

__all__ = ["Article", "DraftLink", "Issue", "Release"]
