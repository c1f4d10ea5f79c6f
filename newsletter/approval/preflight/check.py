"""The verb: run every check over what would go out."""

from collections.abc import Iterable, Iterator, Sequence

from newsletter.approval.preflight import (
    contrast,
    corrections,
    duties,
    images,
    inbox_line,
    language,
    links,
    markup,
    medicine,
    reach,
    sender,
    sponsors,
)
from newsletter.approval.preflight.findings import Finding, Level
from newsletter.approval.preflight.outline import Outline, Part, parts
from newsletter.approval.scope import plain_look
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Article, Issue
from newsletter.rendering import article_page
from newsletter.rendering.issue import CompiledEdition, compile_issue
from newsletter.rendering.look import look_of


def check(issue: Issue, *, edition: CompiledEdition | None = None) -> list[Finding]:
    """Return what stands against sending `issue` as it is in memory, errors first.

    `edition` is what it renders to, when the caller has that already. Asks nobody over the
    network: links and domains are looked at by tasks, and their last answers are read here.
    """
    edition = edition or compile_issue(issue)
    return _errors_first(_issue_findings(issue, edition, Publisher.current(), parts_of(issue)))


def check_article(article: Article) -> list[Finding]:
    """Return what stands against approving `article` as it is in memory, errors first."""
    return _errors_first(_article_findings(article, parts_of(article)))


def parts_of(thing: Issue | Article) -> list[Part]:
    """The body block by block, as readers meet it."""
    if isinstance(thing, Issue):
        return list(parts(thing, look_of(thing.newsletter, thing.language)))
    return list(parts(thing, plain_look(thing.language)))


def linked_from(thing: Issue | Article) -> list[str]:
    """The addresses on other sites that it links to, for the task that tries them."""
    return links.addresses(parts_of(thing))


def _issue_findings(
    issue: Issue, edition: CompiledEdition, publisher: Publisher, blocks: Sequence[Part]
) -> Iterator[Finding]:
    whole = Outline.of(edition.html)
    yield from inbox_line.findings(issue)
    yield from corrections.findings(issue)
    yield from markup.findings(issue, edition, whole, blocks)
    yield from images.findings(issue, whole, blocks)
    yield from links.findings(blocks)
    yield from contrast.findings(edition.html, blocks, issue.newsletter)
    yield from language.of_issue(issue, edition.html, blocks)
    yield from duties.findings(issue, edition, publisher)
    yield from medicine.findings(issue, blocks)
    yield from sponsors.findings(blocks, publisher, issue.language)
    yield from reach.findings(issue)
    yield from sender.findings(issue.newsletter)


def _article_findings(article: Article, blocks: Sequence[Part]) -> Iterator[Finding]:
    html, _text = article_page.compose(article)
    yield from markup.headings(Outline.of(html), blocks)
    yield from links.findings(blocks)
    yield from language.of_text(article, blocks)
    yield from medicine.of_article(article)
    yield from medicine.review_behind(article)
    yield from medicine.emergency_box(blocks, article.concerns_symptoms)


def _errors_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: finding.level != Level.ERROR)
