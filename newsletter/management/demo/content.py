"""The content files, read into values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from newsletter.management.demo import prose

FOLDER = Path(__file__).resolve().parent

# What a condition's page holds, in its order.
SECTIONS = (
    "overview",
    "symptoms",
    "causes",
    "risk_factors",
    "prevention",
    "when_to_see_a_doctor",
)

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Review:
    """Dates that stand in the files as days, so that the demo is in date whenever it is made."""

    days_ago: int
    every_days: int

    def on(self, today: date) -> date:
        return today - timedelta(days=self.days_ago)

    def due(self, today: date) -> date:
        return self.on(today) + timedelta(days=self.every_days)


@dataclass(frozen=True, slots=True)
class ConditionFile:
    slug: str
    fields: Mapping[str, Any]
    help_lines: tuple[Mapping[str, str], ...]
    review: Review


@dataclass(frozen=True, slots=True)
class ArticleFile:
    slug: str
    fields: Mapping[str, Any]
    conditions: tuple[str, ...]
    body: tuple[Block, ...]
    published_days_ago: int
    review: Review
    # Approved and on the site, and left for somebody to release to the digests.
    held_back: bool


@dataclass(frozen=True, slots=True)
class IssueFile:
    slug: str
    fields: Mapping[str, Any]
    newsletter: str
    body: tuple[Block, ...]
    sent: bool


@cache
def conditions() -> tuple[ConditionFile, ...]:
    return tuple(_condition(path) for path in _files("conditions"))


@cache
def articles() -> tuple[ArticleFile, ...]:
    """The articles, oldest first, which is the order in which they enter the digests."""
    found = [_article(path) for path in _files("articles")]
    return tuple(sorted(found, key=lambda article: (-article.published_days_ago, article.slug)))


@cache
def issues() -> tuple[IssueFile, ...]:
    return tuple(_issue(path) for path in _files("issues"))


@cache
def publications() -> Mapping[str, Any]:
    return tomllib.loads((FOLDER / "publications.toml").read_text(encoding="utf-8"))


def _files(folder: str) -> list[Path]:
    return sorted((FOLDER / folder).glob("*.toml"))


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _condition(path: Path) -> ConditionFile:
    fields = _read(path)
    review = _take_review(fields)
    for name in SECTIONS:
        fields[name] = prose.to_html(fields[name])
    fields["emergency_signs"] = fields["emergency_signs"].strip()
    help_lines = tuple(fields.pop("help_lines", ()))
    return ConditionFile(path.stem, fields, help_lines, review)


def _article(path: Path) -> ArticleFile:
    fields = _read(path)
    fields["sources"] = fields["sources"].strip()
    return ArticleFile(
        slug=path.stem,
        conditions=tuple(fields.pop("conditions")),
        body=tuple(_blocks(fields.pop("body"))),
        published_days_ago=fields.pop("published_days_ago"),
        held_back=fields.pop("held_back", False),
        review=_take_review(fields),
        fields=fields,
    )


def _issue(path: Path) -> IssueFile:
    fields = _read(path)
    return IssueFile(
        slug=path.stem,
        newsletter=fields.pop("newsletter"),
        body=tuple(_blocks(fields.pop("body"))),
        sent=fields.pop("sent"),
        fields=fields,
    )


def _take_review(fields: dict[str, Any]) -> Review:
    return Review(fields.pop("reviewed_days_ago"), fields.pop("review_every_days"))


def _blocks(written: list[dict[str, Any]]) -> list[Block]:
    """Return the blocks as a StreamField stores them; `article` and `drawing` are still names."""
    blocks: list[Block] = []
    for each in written:
        kind = each.pop("block")
        if kind == "rich_text":
            for heading, text in prose.sections(each["prose"]):
                if heading:
                    blocks.append({"type": "heading", "value": heading})
                if text:
                    blocks.append({"type": "rich_text", "value": prose.to_html(text)})
        elif kind == "heading":
            blocks.append({"type": "heading", "value": each["text"]})
        elif kind == "callout":
            value = {"title": each["title"], "text": prose.to_html(each["prose"])}
            blocks.append({"type": "callout", "value": value})
        elif kind == "two_columns":
            columns = {name: _column(each[name]) for name in ("first", "second")}
            blocks.append({"type": kind, "value": columns})
        elif kind == "only_for":
            value = {"conditions": each["conditions"], "content": _blocks(each["content"])}
            blocks.append({"type": kind, "value": value})
        elif kind == "emergency":
            # An empty number is the publisher's.
            blocks.append({"type": kind, "value": {"number": "", **each}})
        else:
            blocks.append({"type": kind, "value": each or None})
    return blocks


def _column(written: dict[str, Any]) -> dict[str, Any]:
    empty = {"picture": None, "title": "", "link_text": "", "url": ""}
    return {**empty, **written, "text": prose.to_html(written["text"])}
