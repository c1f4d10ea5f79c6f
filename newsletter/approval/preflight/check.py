"""The verb: run every check over what would go out."""

from collections.abc import Iterable, Iterator

from newsletter.approval.preflight import duties, inbox_line, markup, medicine, reach
from newsletter.approval.preflight.findings import Finding, Level
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article, Issue
from newsletter.rendering.issue import CompiledEdition, compile_issue


def check(issue: Issue, *, edition: CompiledEdition | None = None) -> list[Finding]:
    """Return what stands against sending `issue` as it is in memory, errors first.

    `edition` is what it renders to, when the caller has that already.
    """
    edition = edition or compile_issue(issue)
    return _errors_first(_issue_findings(issue, edition, Publisher.current()))


def check_article(article: Article) -> list[Finding]:
    """Return what stands against approving `article` as it is in memory, errors first."""
    return _errors_first(medicine.of_article(article, anchored=True))


def _issue_findings(
    issue: Issue, edition: CompiledEdition, publisher: Publisher
) -> Iterator[Finding]:
    yield from inbox_line.findings(issue)
    yield from markup.findings(issue, edition)
    yield from duties.findings(issue, edition, publisher)
    yield from medicine.findings(issue)
    yield from reach.findings(issue)


def _errors_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.level != Level.ERROR)
