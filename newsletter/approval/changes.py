"""What changed between two versions, block by block and in words, for whoever signs again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from django.utils.translation import gettext as _

from newsletter.approval import preflight
from newsletter.approval.models import Approval
from newsletter.approval.preflight import medicine
from newsletter.editions.models import Article, Issue

# Unchanged words that are shown around a change.
AROUND = 8


class Sign(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    # Unchanged words that are left out.
    GAP = "gap"


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Change:
    """One block, or one line around them; `block` is "" for what is no block of the newer body."""

    kind: Kind
    label: str
    block: str
    words: tuple[tuple[Sign, str], ...]


@dataclass(frozen=True, slots=True)
class Since:
    """All changes since `approval`; `articles` are those of articles that the issue shows."""

    approval: Approval
    changes: tuple[Change, ...]
    articles: tuple[tuple[Article, tuple[Change, ...]], ...] = ()

    @property
    def nothing(self) -> bool:
        return not self.changes and not self.articles


@dataclass(frozen=True, slots=True)
class _Piece:
    key: str
    label: str
    text: str
    block: str


def since_approval(content: Issue | Article, approval: Approval) -> Since:
    """Compare `content` with what `approval` signed."""
    before: Issue | Article = approval.revision.as_object()
    articles = []
    if isinstance(content, Issue):
        for article in medicine.referenced_articles(content):
            if changed := _of_article(article, approval):
                articles.append((article, changed))
    return Since(approval, tuple(between(before, content)), tuple(articles))


def between(before: Issue | Article, after: Issue | Article) -> Iterator[Change]:
    """Yield what differs, in the newer one's order, then what is gone."""
    old = {piece.key: piece for piece in _pieces(before)}
    new = {piece.key: piece for piece in _pieces(after)}
    moved = _moved([key for key in old if key in new], [key for key in new if key in old])
    for key, piece in new.items():
        earlier = old.get(key)
        if earlier is None:
            if piece.text:
                yield Change(Kind.ADDED, piece.label, piece.block, ((Sign.ADDED, piece.text),))
        elif earlier.text != piece.text:
            words = tuple(compare(earlier.text, piece.text))
            yield Change(Kind.CHANGED, piece.label, piece.block, words)
        elif key in moved:
            shown = " ".join(piece.text.split()[: AROUND * 2])
            yield Change(Kind.MOVED, piece.label, piece.block, ((Sign.SAME, shown),))
    for key, piece in old.items():
        if key not in new and piece.text:
            yield Change(Kind.REMOVED, piece.label, "", ((Sign.REMOVED, piece.text),))


def compare(before: str, after: str) -> Iterator[tuple[Sign, str]]:
    """Yield runs of words; long unchanged runs are cut to AROUND words at each end."""
    old, new = before.split(), after.split()
    # Above some thousand words the exact way takes seconds; the heuristic one is near enough.
    matcher = SequenceMatcher(None, old, new, autojunk=len(old) > 2_000)
    runs = matcher.get_opcodes()
    for number, (tag, old_from, old_to, new_from, new_to) in enumerate(runs):
        if tag == "equal":
            first, last = number == 0, number == len(runs) - 1
            yield from _cut(new[new_from:new_to], first, last)
            continue
        if old_to > old_from:
            yield Sign.REMOVED, " ".join(old[old_from:old_to])
        if new_to > new_from:
            yield Sign.ADDED, " ".join(new[new_from:new_to])


def _cut(words: Sequence[str], first: bool, last: bool) -> Iterator[tuple[Sign, str]]:
    head = 0 if first else AROUND
    tail = 0 if last else AROUND
    if len(words) <= head + tail + AROUND:
        yield Sign.SAME, " ".join(words)
        return
    if head:
        yield Sign.SAME, " ".join(words[:head])
    yield Sign.GAP, "…"
    if tail:
        yield Sign.SAME, " ".join(words[-tail:])


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The keys that stand elsewhere among those that both have."""
    kept = SequenceMatcher(None, before, after, autojunk=False)
    still = {before[i + n] for i, _j, size in kept.get_matching_blocks() for n in range(size)}
    return set(after) - still


def _of_article(article: Article, approval: Approval) -> tuple[Change, ...]:
    """An article that was signed anew after the issue, against its version of that day."""
    then = (
        article.approvals.filter(approved_at__lte=approval.approved_at)
        .select_related("revision")
        .order_by("-pk")
        .first()
    )
    if then is None or then.revision_id == article.live_revision_id:
        return ()
    return tuple(between(then.revision.as_object(), article))


def _pieces(thing: Issue | Article) -> Iterator[_Piece]:
    for name, label, text in _lines(thing):
        yield _Piece(f"field:{name}", label, " ".join(text.split()), "")
    for part in preflight.parts_of(thing):
        yield _Piece(f"block:{part.block}", part.label, " ".join(part.text.split()), part.block)


def _lines(thing: Issue | Article) -> tuple[tuple[str, str, str], ...]:
    if isinstance(thing, Issue):
        return (
            ("subject", _("Subject"), thing.subject),
            ("preheader", _("Preheader"), thing.preheader),
            ("greeting", _("Greeting"), thing.greeting),
        )
    return (
        ("title", _("Title"), thing.title),
        ("summary", _("Summary"), thing.summary),
        ("author", _("Author"), f"{thing.author_name} {thing.author_credentials}"),
        ("reviewer", _("Reviewer"), f"{thing.reviewer_name} {thing.reviewer_credentials}"),
        ("reviewed", _("Reviewed on"), str(thing.reviewed_on or "")),
        ("due", _("Review due"), str(thing.review_due or "")),
        ("sources", _("Sources"), thing.sources),
    )
