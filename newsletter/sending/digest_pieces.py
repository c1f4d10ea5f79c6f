"""What a digest run's copies are joined from, kept with its plan (docs/adr/0012).

A copy that goes a second time must have the first one's bytes (invariant 7). So what staff may
rename, retag, translate or restyle any day is settled when the run is planned: under which
conditions an article stands, in which language it is shown, and what stands around it.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple, Self

from newsletter.approval.models import Approval
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Article
from newsletter.rendering.digest_body import Frame
from newsletter.rendering.fragments import (
    Fragment,
    condition_heading,
    section_end,
    split_at_token,
)
from newsletter.sending.errors import ContentDamaged
from newsletter.sending.models import DigestFrame, Edition


class Piece(NamedTuple):
    """An article's place in copies of one language: `version` is itself or its translation;
    `conditions` are what it is about, the one that readers see first in front."""

    version: int
    conditions: Sequence[int]


@dataclass(slots=True)
class Pieces:
    """What the copies of one edition are joined from: articles, and conditions' DigestFrames."""

    may_name_conditions: bool
    articles: dict[int, Piece] = field(default_factory=dict)
    frames: dict[int, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "may_name_conditions": self.may_name_conditions,
            # Keys of JSON are strings, and jsonb keeps their order no longer.
            "articles": {str(key): list(piece) for key, piece in self.articles.items()},
            "frames": {str(key): frame for key, frame in self.frames.items()},
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            kept["may_name_conditions"],
            {int(key): Piece(*piece) for key, piece in kept["articles"].items()},
            {int(key): frame for key, frame in kept["frames"].items()},
        )


class Keeper:
    """Keeps what a plan's copies need, as it comes to them: slice by slice, each thing once.

    Every call is made in a slice's transaction, which holds the mailing's row.
    """

    def __init__(self, newsletter: Newsletter, day: date) -> None:
        self._newsletter = newsletter
        self._day = day
        # By edition, what is kept of it by this planner.
        self._kept: dict[int, set[int]] = {}

    def keep(self, edition: int, about: Mapping[int, Sequence[int]]) -> None:
        """Keep the pieces of these articles; `about` says what each is about, as planned."""
        known = self._kept.setdefault(edition, set())
        fresh = {article: found for article, found in about.items() if article not in known}
        if not fresh:
            return
        row = Edition.objects.defer("content").get(pk=edition)
        if row.pieces is not None:
            pieces = Pieces.of_json(row.pieces)
            chosen = choose(self._newsletter, row.language, fresh, self._day)
            for article, piece in chosen.items():
                # Who was planned before an interruption may have got it by another tag.
                before = pieces.articles.get(article, piece).conditions
                merged = list(dict.fromkeys([*before, *piece.conditions]))
                pieces.articles[article] = piece._replace(conditions=merged)
            conditions = {one for piece in chosen.values() for one in piece.conditions}
            pieces.frames |= _keep_frames(conditions - pieces.frames.keys(), row.language)
            Edition.objects.filter(pk=edition).update(pieces=pieces.as_json())
        known.update(fresh)


def choose(
    newsletter: Newsletter, language: str, about: Mapping[int, Sequence[int]], day: date
) -> dict[int, Piece]:
    """Return what copies in `language` show of each article: it in that language, or else in that
    language as it is written elsewhere (pt for pt-br), or else in the newsletter's, or else as it
    was written first.

    A translation counts if it is live, approved, and not overdue for review on `day`.
    """
    versions: dict[int, dict[str, int]] = {
        article: {written: article}
        for article, written in Article.objects.filter(pk__in=about).values_list("pk", "language")
    }
    translations = (
        Article.objects.published()
        .filter(translation_of__in=about, approvals__in=Approval.objects.standing())
        .exclude(review_due__lt=day)
        .order_by("pk")
        .values_list("pk", "translation_of", "language")
    )
    for translation, original, written in translations:
        versions[original].setdefault(written, translation)
    wanted = (language, language.partition("-")[0], newsletter.language)
    return {
        article: Piece(
            next((known[one] for one in wanted if one in known), article), about[article]
        )
        for article, known in versions.items()
    }


def about_now(articles: Collection[int]) -> dict[int, list[int]]:
    """Return what each article is about today, the condition that readers see first in front."""
    found: dict[int, list[int]] = {article: [] for article in articles}
    for article, condition in (
        Article.conditions.through.objects.filter(article__in=articles)
        .order_by("-condition__weight", "condition")
        .values_list("article_id", "condition_id")
    ):
        found[article].append(condition)
    return found


def frames_now(conditions: Iterable[int], language: str) -> dict[int, Frame]:
    """Return what stands around these conditions' articles today."""
    return {
        condition.pk: _read(_written(condition, language))
        # Retired conditions too: their followers are shown what is in the plan.
        for condition in Condition.objects.filter(pk__in=conditions)
    }


def frames_kept(ids: Collection[int]) -> dict[int, Frame]:
    """Return the frames with these ids. Raises ContentDamaged."""
    found = {}
    for pk, content, content_hash in DigestFrame.objects.filter(pk__in=ids).values_list(
        "pk", "content", "content_hash"
    ):
        if hashlib.sha256(bytes(content)).digest() != bytes(content_hash):
            raise ContentDamaged("What stands around a digest's articles is not what was planned.")
        found[pk] = _read(bytes(content))
    return found


def _keep_frames(conditions: Collection[int], language: str) -> dict[int, int]:
    """Return condition → its frame's id. A frame that some run kept before is that one."""
    written = {
        condition.pk: _written(condition, language)
        for condition in Condition.objects.filter(pk__in=conditions)
    }
    hashes = {pk: hashlib.sha256(content).digest() for pk, content in written.items()}
    wanted = {hashes[pk]: content for pk, content in written.items()}
    # In one order, so that two runs that keep the same do not wait for each other in a circle.
    DigestFrame.objects.bulk_create(
        (DigestFrame(content_hash=key, content=wanted[key]) for key in sorted(wanted)),
        ignore_conflicts=True,
    )
    ids = {
        bytes(content_hash): pk
        for pk, content_hash in DigestFrame.objects.filter(
            content_hash__in=list(wanted)
        ).values_list("pk", "content_hash")
    }
    return {pk: ids[content_hash] for pk, content_hash in hashes.items()}


def _written(condition: Condition, language: str) -> bytes:
    heading, end = condition_heading(condition, language), section_end(condition, language)
    lines = [condition.name, heading.html, heading.text, end.html, end.text]
    return json.dumps(lines, ensure_ascii=False).encode()


def _read(content: bytes) -> Frame:
    name, *forms = json.loads(content)
    heading_html, heading_text, end_html, end_text = forms
    return Frame(
        name,
        Fragment(html=heading_html, text=heading_text).encoded(),
        split_at_token(Fragment(html=end_html, text=end_text)),
    )
