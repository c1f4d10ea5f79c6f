"""The copies of a digest's chunk: what was approved of each article, joined for each reader.

What a copy holds is looked up when it is sent and not before: an article that was withdrawn or
unpublished since the plan was made is left out, and so is one whose approval was taken back.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from newsletter.approval.models import Approval, Frozen
from newsletter.catalogue.models import Condition
from newsletter.editions.models import Article, Release
from newsletter.rendering.copies import DigestCopies, NothingLeft, ReaderRow
from newsletter.rendering.fragments import EncodedFragment, condition_headings, other_heading
from newsletter.sending.due_times import Rhythm, next_due, zone
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Mailing
from newsletter.sending.row import Row
from newsletter.sending.stored import read_back
from newsletter.wire.message import CompiledMessage
from newsletter.wire.quoted_printable import encode
from signup.models import Follow, Subscription

__all__ = ["DigestChunk", "DigestMail", "NothingLeft"]


class DigestMail:
    """One digest mailing, with what all its chunks share: shells, headings, fragments.

    Raises ContentDamaged when a shell cannot be read, NewerContent when this worker is too old.
    """

    def __init__(self, mailing: Mailing) -> None:
        self.mailing = mailing
        self._languages: dict[int, str] = {}
        self._shells: dict[int, CompiledMessage] = {}
        for edition in mailing.editions.all():
            self._languages[edition.pk] = edition.language
            self._shells[edition.pk] = read_back(bytes(edition.content))
        self._headings: dict[str, dict[int, EncodedFragment]] = {}
        self._others: dict[str, EncodedFragment] = {}
        # Frozen rows never change, so one that was encoded stays encoded.
        self._encoded: dict[int, bytes] = {}

    def chunk(self, rows: Sequence[Row]) -> "DigestChunk":
        """Look up what these rows' copies need: few queries, whatever their number.

        Raises ContentDamaged when a fragment is not what was approved.
        """
        standing = _standing({article for row in rows for article in row.article_ids or ()})
        frozen = self._frozen(standing)
        conditions = _conditions(standing)
        copies = {
            edition: DigestCopies(
                shell,
                self.mailing.stamp,
                language=self._languages[edition],
                articles=self._in_language(frozen, self._languages[edition]),
                conditions=conditions,
                headings=self._headings_in(self._languages[edition]),
                other=self._others[self._languages[edition]],
            )
            for edition, shell in self._shells.items()
        }
        return DigestChunk(rows, copies=copies, left=frozen.keys(), mailing=self.mailing)

    def _frozen(self, articles: Collection[int]) -> dict[int, dict[str, dict[str, bytes]]]:
        """Return article → language → form → bytes, from each one's newest approval."""
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
        return found

    def _in_language(
        self, frozen: Mapping[int, Mapping[str, Mapping[str, bytes]]], language: str
    ) -> dict[int, EncodedFragment]:
        """Return each article in `language`, or else the newsletter's, or else what it has."""
        wanted = (language, self.mailing.newsletter.language)
        fragments = {}
        for article, languages in frozen.items():
            forms = next(
                (languages[one] for one in wanted if one in languages),
                next(iter(languages.values())),
            )
            fragments[article] = EncodedFragment(
                html=forms[Frozen.Form.HTML_FRAGMENT], text=forms[Frozen.Form.TEXT_FRAGMENT]
            )
        return fragments

    def _headings_in(self, language: str) -> dict[int, EncodedFragment]:
        if language not in self._headings:
            self._headings[language] = {
                condition: heading.encoded()
                for condition, heading in condition_headings(
                    Condition.objects.all(), language
                ).items()
            }
            self._others[language] = other_heading(language).encoded()
        return self._headings[language]


class DigestChunk:
    """The copies of one chunk."""

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        copies: Mapping[int, DigestCopies],
        left: Collection[int],
        mailing: Mailing,
    ) -> None:
        self._copies = copies
        self._left = left
        self._follows = follows_of(rows)
        self._next = _next_days(rows, mailing)

    def is_empty(self, row: Row) -> bool:
        """True when nothing is left of this reader's digest: to be skipped, NOTHING_LEFT."""
        return not any(article in self._left for article in row.article_ids or ())

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
            row.article_ids or (),
            self._follows.get(row.subscriber, frozenset()),
            self._next.get(row.subscription),
        )


def _standing(articles: Collection[int]) -> set[int]:
    """Return those that are still live and still released."""
    return set(
        Release.objects.standing()
        .filter(article__in=articles, article__live=True)
        .order_by()
        .values_list("article_id", flat=True)
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


def _next_days(rows: Iterable[Row], mailing: Mailing) -> dict[int, date]:
    """Return by subscription on which day, by the reader's clock, the digest after this one is
    due. Counted from the run and not from today: a copy sent again has the same bytes."""
    found = {}
    for pk, cadence, weekday, hour, timezone in Subscription.objects.filter(
        pk__in=[row.subscription for row in rows]
    ).values_list("pk", "cadence", "weekday", "hour", "subscriber__timezone"):
        due = next_due(Rhythm(cadence, weekday, hour, timezone), mailing.dated)
        found[pk] = due.astimezone(zone(timezone)).date()
    return found
