"""Everything that is looked at before an issue or article may be approved, and again before an
issue is sent."""

from newsletter.approval.preflight.check import check, check_article, linked_from, parts_of
from newsletter.approval.preflight.findings import Finding, Level

__all__ = ["Finding", "Level", "check", "check_article", "linked_from", "parts_of"]
