"""What a reader of each newsletter would get: a mail that went out, or a digest of what is there.

A digest's sample is joined from what was approved for digests, as a reader's copy is, for an
imagined reader who follows everything.
"""

from dataclasses import dataclass

from newsletter.approval.models import Frozen
from newsletter.archive import published, webview
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Issue, Release
from newsletter.rendering import links
from newsletter.rendering.digest import compile_shell
from newsletter.rendering.fragments import condition_heading, section_end
from newsletter.wire.quoted_printable import encode
from newsletter.wire.slots import Slot

ARTICLES_IN_A_SAMPLE = 4


@dataclass(frozen=True, slots=True)
class Sample:
    subject: str
    html: str


def newsletters_with_samples() -> list[Newsletter]:
    """Newsletters that are open for sign-up and have something to show."""
    sent = set(published.sent().values_list("newsletter", flat=True))
    released = Release.objects.standing().filter(article__live=True).exists()
    return [
        newsletter
        for newsletter in published.newsletters()
        if (released if newsletter.is_digest else newsletter.pk in sent)
    ]


def sample_of(newsletter: Newsletter) -> Sample | None:
    """Return the newsletter's sample; None where there is nothing that was approved and sent."""
    return _digest(newsletter) if newsletter.is_digest else _last_issue(newsletter)


def _last_issue(newsletter: Newsletter) -> Sample | None:
    issue: Issue | None = published.issues().filter(newsletter=newsletter).first()
    if issue is None:
        return None
    mailing = published.latest_mailing(issue)
    try:
        message = webview.frozen_message(mailing)
    except webview.NothingFrozen:
        return None
    return _sample(message.fill(webview.neutral_values(message)))


def _digest(newsletter: Newsletter) -> Sample | None:
    articles = _latest_articles()
    fragments = _approved_fragments(articles, newsletter.language)
    sections: dict[int, list[str]] = {}
    conditions = {each.pk: each for each in Condition.objects.open()}
    for article in articles:
        about = next((each for each in articles[article] if each in conditions), None)
        if about is not None and article in fragments:
            sections.setdefault(about, []).append(fragments[article])
    if not sections:
        return None
    body: list[str] = []
    for pk, html in sections.items():
        condition, language = conditions[pk], newsletter.language
        end = section_end(condition, language, stop_url=links.preferences_request())
        body += [condition_heading(condition, language).html, *html, end.html]
    shell = compile_shell(newsletter, newsletter.language)
    values: dict[str, str | bytes] = {**webview.neutral_values(shell)}
    values[Slot.BODY_HTML] = encode("".join(body))
    return _sample(shell.fill(values))


def _latest_articles() -> dict[int, list[int]]:
    """The latest released articles that are live, newest first, each with its conditions."""
    released = Release.objects.standing().filter(article__live=True).order_by("-seq")
    recent = released.values_list("article", flat=True)[: 3 * ARTICLES_IN_A_SAMPLE]
    articles: dict[int, list[int]] = {}
    for article in recent:  # one that was announced again stands here twice
        if len(articles) < ARTICLES_IN_A_SAMPLE:
            articles.setdefault(article, [])
    about = Condition.objects.filter(articles__in=articles).values_list("articles", "pk")
    for article, condition in about.order_by("-weight", "name"):
        articles[article].append(condition)
    return articles


def _approved_fragments(articles: dict[int, list[int]], language: str) -> dict[int, str]:
    """The HTML that was approved for digests, by article; a voided approval counts no more."""
    frozen = Frozen.objects.filter(
        approval__article__in=articles,
        approval__voided_at__isnull=True,
        form=Frozen.Form.HTML_FRAGMENT,
        language=language,
    ).order_by("approval__approved_at", "pk")
    rows = frozen.values_list("approval__article", "content")
    return {article: bytes(content).decode() for article, content in rows if article is not None}


def _sample(message: bytes) -> Sample:
    return Sample(subject=webview.subject_of(message), html=webview.page_of(message))
