"""The copies of a digest's chunk: what was approved of each article, joined for each reader.

What a copy holds is looked up when it is sent and not before: an article that was withdrawn or
unpublished since the plan was made is left out, and so is one whose approval was taken back.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from django.utils import timezone

from newsletter.approval.models import Approval, Frozen
from newsletter.catalogue.models import Condition
from newsletter.editions.models import Article, Release
from newsletter.rendering.copies import DigestCopies, ReaderRow
from newsletter.rendering.digest_body import DigestBody, Frame, NothingLeft
from newsletter.rendering.fragments import (
    EncodedFragment,
    condition_heading,
    section_end,
    split_at_token,
)
from newsletter.sending.alert_readers import AlertsReached
from newsletter.sending.digest_extras import extras_of
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Delivery, Edition, Mailing
from newsletter.sending.row import Row
from newsletter.sending.stored import read_back
from newsletter.wire.message import CompiledMessage
from newsletter.wire.quoted_printable import encode
from signup import section_links
from signup.models import Follow

__all__ = ["DigestChunk", "DigestMail", "NothingLeft"]


# Article → language → what was approved of it.
_Approved = Mapping[int, Mapping[str, EncodedFragment]]


class DigestMail:
    """One digest mailing, with what all its chunks share: shells, headings, fragments.

    Raises ContentDamaged when a shell cannot be read, NewerContent when this worker is too old.
    """

    def __init__(self, mailing: Mailing, editions: Iterable[Edition] | None = None) -> None:
        """`editions` are the mailing's own, or for a preview some that were never stored."""
        self.mailing = mailing
        self._languages: dict[int, str] = {}
        self._shells: dict[int, CompiledMessage] = {}
        for edition in mailing.editions.all() if editions is None else editions:
            self._languages[edition.pk] = edition.language
            self._shells[edition.pk] = read_back(bytes(edition.content))
        self._frames: dict[str, dict[int, Frame]] = {}
        self._sign = section_links.signer(mailing.token_version)
        # Frozen rows never change, so one that was encoded stays encoded.
        self._encoded: dict[int, bytes] = {}

    def chunk(self, rows: Sequence[Row]) -> "DigestChunk":
        """Look up what these rows' copies need: few queries, whatever their number.

        Raises ContentDamaged when a fragment is not what was approved.
        """
        copies = self.copies({article for row in rows for article in row.article_ids or ()})
        return DigestChunk(rows, copies=copies, mailing=self.mailing)

    def copies(self, articles: Collection[int]) -> dict[int, DigestCopies]:
        """Return by edition what makes copies of these articles. Raises ContentDamaged."""
        originals = _standing(articles)
        approved = self._approved(originals)
        conditions = _conditions(originals)
        return {
            edition: DigestCopies(
                shell,
                self.mailing.stamp,
                language=self._languages[edition],
                may_name_conditions=self.mailing.newsletter.may_name_conditions,
                body=DigestBody(
                    articles=self._in_language(approved, self._languages[edition]),
                    conditions=conditions,
                    frames=self._frames_in(self._languages[edition]),
                    sign=self._sign,
                ),
            )
            for edition, shell in self._shells.items()
        }

    def _approved(self, originals: Collection[int]) -> _Approved:
        """Return what was approved of each article, in each language that it stands in.

        An original whose own approval was taken back is left out with its translations.
        """
        translations = _translations(originals, self.mailing.dated.date())
        frozen = self._frozen([*originals, *translations])
        found: dict[int, dict[str, EncodedFragment]] = {
            article: dict(frozen[article]) for article in originals if article in frozen
        }
        for translation, original in translations.items():
            if original in found:
                for language, fragment in frozen.get(translation, {}).items():
                    found[original].setdefault(language, fragment)
        return found

    def _frozen(self, articles: Collection[int]) -> _Approved:
        """Return what each article's newest approval froze."""
        approvals = dict(
            Approval.objects.standing()
            .filter(article__in=articles)
            .order_by("pk")
            .values_list("article_id", "pk")
        )
        article_of = {approval: article for article, approval in approvals.items()}
        found: defaultdict[int, dict[str, dict[str, bytes]]] = defaultdict(dict)
        forms = Frozen.objects.filter(
            approval__in=article_of, form__in=[Frozen.Form.HTML_FRAGMENT, Frozen.Form.TEXT_FRAGMENT]
        )
        known = forms.filter(pk__in=self._encoded).defer("content")
        for row in [*known, *forms.exclude(pk__in=self._encoded)]:
            if row.pk not in self._encoded:
                content = bytes(row.content)
                if hashlib.sha256(content).digest() != bytes(row.content_hash):
                    raise ContentDamaged(
                        "An article's frozen content is not what was approved. Approve it again."
                    )
                self._encoded[row.pk] = encode(content.decode())
            article = article_of[row.approval_id]
            found[article].setdefault(row.language, {})[row.form] = self._encoded[row.pk]
        return {
            article: {
                language: EncodedFragment(
                    html=forms[Frozen.Form.HTML_FRAGMENT], text=forms[Frozen.Form.TEXT_FRAGMENT]
                )
                for language, forms in languages.items()
            }
            for article, languages in found.items()
        }

    def _in_language(self, approved: _Approved, language: str) -> dict[int, EncodedFragment]:
        """Return each article in `language`, or else in that language as it is written elsewhere
        (pt for pt-br), or else in the newsletter's, or else as it was written first."""
        wanted = (language, language.partition("-")[0], self.mailing.newsletter.language)
        return {
            article: next(
                (languages[one] for one in wanted if one in languages),
                next(iter(languages.values())),
            )
            for article, languages in approved.items()
        }

    def _frames_in(self, language: str) -> dict[int, Frame]:
        # Retired conditions too: their followers are shown what is in the plan.
        if language not in self._frames:
            self._frames[language] = {
                condition.pk: Frame(
                    condition.name,
                    condition_heading(condition, language).encoded(),
                    split_at_token(section_end(condition, language)),
                )
                for condition in Condition.objects.all()
            }
        return self._frames[language]


class DigestChunk:
    """The copies of one chunk."""

    def __init__(
        self, rows: Sequence[Row], *, copies: Mapping[int, DigestCopies], mailing: Mailing
    ) -> None:
        self._copies = copies
        self._rows = rows
        self._follows = follows_of(rows)
        self._had = _had_as_alerts(rows)
        self._extras = extras_of(rows, self._follows, mailing)

    def is_empty(self, row: Row) -> bool:
        """True when nothing is left of this reader's digest: to be skipped, NOTHING_LEFT."""
        return not self._copies[row.edition].holds(
            self._articles(row), self._follows.get(row.subscriber, frozenset())
        )

    def copy(self, row: Row) -> bytes:
        """Return one reader's whole message.

        Raises NothingLeft where is_empty, and wire.headers.UnsafeValue for an address that no
        header may carry.
        """
        reader = ReaderRow(
            row.subscriber, row.email, row.first_name, row.subscription, row.text_only
        )
        return self._copies[row.edition].copy(
            reader,
            self._articles(row),
            self._follows.get(row.subscriber, frozenset()),
            self._extras.get(row.subscription),
        )

    def note_what_came_as_alerts(self) -> None:
        """Take from the plan what is left out of these first copies, so that a second one, for
        which nobody asks that again, has the bytes of the first (invariant 7).

        To be called in the transaction that hands them over.
        """
        for row in self._rows if self._had else ():
            articles = self._articles(row)
            if len(articles) < len(row.article_ids or ()):
                Delivery.objects.filter(pk=row.pk).update(article_ids=articles)

    def _articles(self, row: Row) -> Sequence[int]:
        """What was planned, less what came as a safety alert since. Of a second copy nothing:
        the first one's plan is its own."""
        had = () if row.resent else self._had.get(row.subscriber, ())
        return [article for article in row.article_ids or () if article not in had]


def _had_as_alerts(rows: Sequence[Row]) -> Mapping[int, Collection[int]]:
    articles = {article for row in rows for article in row.article_ids or ()}
    # As of today and not of the run: an alert may have gone out in between.
    reached = AlertsReached.load(timezone.now(), articles)
    return reached.among([row.subscriber for row in rows])


def _standing(articles: Collection[int]) -> set[int]:
    """Return those that are still live and still released."""
    return set(
        Release.objects.standing()
        .filter(article__in=articles, article__live=True)
        .order_by()
        .values_list("article_id", flat=True)
    )


def _translations(originals: Collection[int], day: date) -> dict[int, int]:
    """Return translation → original, of those that are live and not overdue for review."""
    return dict(
        Article.objects.published()
        .filter(translation_of__in=originals)
        .exclude(review_due__lt=day)
        .order_by("pk")
        .values_list("pk", "translation_of_id")
    )


def _conditions(articles: Collection[int]) -> dict[int, list[int]]:
    """Return what each article is about, the condition that readers see first in front."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for article, condition in (
        Article.conditions.through.objects.filter(article__in=articles)
        .order_by("-condition__weight", "condition")
        .values_list("article_id", "condition_id")
    ):
        found[article].append(condition)
    return found


def follows_of(rows: Iterable[Row]) -> dict[int, set[int]]:
    """Return by subscriber the conditions followed now; who paused one does not follow it."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for subscriber, condition in Follow.objects.filter(
        subscriber__in=[row.subscriber for row in rows], paused_at__isnull=True
    ).values_list("subscriber_id", "condition_id"):
        found[subscriber].add(condition)
    return found
