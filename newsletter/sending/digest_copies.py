"""The copies of a digest's chunk: what was approved of each article, joined for each reader.

Where an article stands, in which language, and what stands around it was settled when the run was
planned (`digest_pieces`). Whether it still stands is looked up when a copy is made and not before:
one that was withdrawn or unpublished since is left out, and so is one that lost its approval.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.utils import timezone

from newsletter.approval.models import Approval, Frozen
from newsletter.editions.models import Article, Release
from newsletter.rendering.copies import DigestCopies, ReaderRow
from newsletter.rendering.digest_body import DigestBody, Frame, NothingLeft
from newsletter.rendering.fragments import EncodedFragment
from newsletter.sending.alert_readers import AlertsReached
from newsletter.sending.digest_extras import extras_of
from newsletter.sending.digest_pieces import (
    Piece,
    Pieces,
    about_now,
    choose,
    frames_kept,
    frames_now,
)
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import Delivery, Edition, Mailing
from newsletter.sending.row import Row
from newsletter.sending.stored import read_back
from newsletter.wire.message import CompiledMessage
from newsletter.wire.quoted_printable import encode
from signup import section_links
from signup.models import Follow

__all__ = ["DigestChunk", "DigestMail", "NothingLeft"]


class DigestMail:
    """One digest mailing, with what all its chunks share: shells, frames, fragments.

    Raises ContentDamaged when a shell or a frame cannot be read, NewerContent when this worker is
    too old.
    """

    def __init__(self, mailing: Mailing, editions: Iterable[Edition] | None = None) -> None:
        """`editions` are the mailing's own, or for a preview some that were never stored."""
        self.mailing = mailing
        self._languages: dict[int, str] = {}
        self._shells: dict[int, CompiledMessage] = {}
        # None of an edition with which nothing was kept: a preview's, or an older version's.
        self._pieces: dict[int, Pieces | None] = {}
        for edition in mailing.editions.all() if editions is None else editions:
            self._languages[edition.pk] = edition.language
            self._shells[edition.pk] = read_back(bytes(edition.content))
            kept = edition.pieces
            self._pieces[edition.pk] = None if kept is None else Pieces.of_json(kept)
        frames = frames_kept(
            {pk for kept in self._pieces.values() if kept for pk in kept.frames.values()}
        )
        self._frames: dict[int, dict[int, Frame]] = {
            edition: {condition: frames[pk] for condition, pk in kept.frames.items()}
            for edition, kept in self._pieces.items()
            if kept is not None
        }
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
        places = {edition: self._places(edition, articles) for edition in self._shells}
        versions = {piece.version for found in places.values() for piece in found.values()}
        released, live = _standing(articles, versions)
        approved = self._approved(live)
        may_name = self.mailing.newsletter.may_name_conditions
        return {
            edition: DigestCopies(
                shell,
                self.mailing.stamp,
                language=self._languages[edition],
                # A newsletter that may no longer takes the names back, also from second copies.
                may_name_conditions=may_name and self._might_name(edition),
                body=DigestBody(
                    articles={
                        # What recalls the original recalls its translations. Of a translation
                        # that was taken back the original is left.
                        article: approved.get(piece.version, approved[article])
                        for article, piece in places[edition].items()
                        if article in released and article in approved
                    },
                    conditions={
                        article: piece.conditions for article, piece in places[edition].items()
                    },
                    frames=self._frames[edition],
                    sign=self._sign,
                ),
            )
            for edition, shell in self._shells.items()
        }

    def _places(self, edition: int, articles: Collection[int]) -> dict[int, Piece]:
        kept = self._pieces[edition]
        if kept is not None:
            return {one: kept.articles[one] for one in articles if one in kept.articles}
        language, about = self._languages[edition], about_now(articles)
        frames = self._frames.setdefault(edition, {})
        conditions = {one for found in about.values() for one in found}
        frames.update(frames_now(conditions - frames.keys(), language))
        return choose(self.mailing.newsletter, language, about, self.mailing.dated.date())

    def _might_name(self, edition: int) -> bool:
        kept = self._pieces[edition]
        return kept is None or kept.may_name_conditions

    def _approved(self, articles: Collection[int]) -> dict[int, EncodedFragment]:
        """Return what each article's newest approval froze; an article without one is left out."""
        approvals = dict(
            Approval.objects.standing()
            .filter(article__in=articles)
            .order_by("pk")
            .values_list("article_id", "pk")
        )
        article_of = {approval: article for article, approval in approvals.items()}
        found: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
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
            found[article_of[row.approval_id]][row.form] = self._encoded[row.pk]
        return {
            article: EncodedFragment(
                html=forms[Frozen.Form.HTML_FRAGMENT], text=forms[Frozen.Form.TEXT_FRAGMENT]
            )
            for article, forms in found.items()
        }


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

    def keep_for_second_copies(self) -> None:
        """Write down what these first copies say that is not in the plan, so that a second one,
        for which nobody asks that again, has the bytes of the first (invariant 7): what is left
        out because it came as an alert, and how much came out during a pause.

        To be called in the transaction that hands them over.
        """
        for row in self._rows if self._had else ():
            articles = self._articles(row)
            if not row.resent and len(articles) < len(row.article_ids or ()):
                Delivery.objects.filter(pk=row.pk).update(article_ids=articles)
        away: defaultdict[int | None, list[int]] = defaultdict(list)
        for row in self._rows:
            extras = self._extras.get(row.subscription)
            count = (extras.away or None) if extras else None
            # One that was refused for now may have said another number.
            if not row.resent and (count or row.attempt):
                away[count].append(row.pk)
        for count, deliveries in away.items():
            Delivery.objects.filter(pk__in=deliveries).update(away=count)

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


def _standing(articles: Collection[int], versions: Collection[int]) -> tuple[set[int], set[int]]:
    """Return which of `articles` are still released, and which of both are still live."""
    released = (
        Release.objects.standing()
        .filter(article__in=articles)
        .order_by()
        .values_list("article_id", flat=True)
    )
    live = Article.objects.published().filter(pk__in={*articles, *versions})
    return set(released), set(live.values_list("pk", flat=True))


def follows_of(rows: Iterable[Row]) -> dict[int, set[int]]:
    """Return by subscriber the conditions followed now; who paused one does not follow it."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for subscriber, condition in Follow.objects.filter(
        subscriber__in=[row.subscriber for row in rows], paused_at__isnull=True
    ).values_list("subscriber_id", "condition_id"):
        found[subscriber].add(condition)
    return found
