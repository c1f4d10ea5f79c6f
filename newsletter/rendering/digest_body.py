"""What stands in a digest's middle for one reader: sections joined from ready pieces. Hot path."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from newsletter.rendering.fragments import EncodedFragment, SplitFragment


class NothingLeft(LookupError):
    """Nothing of this reader's digest is to be shown any more."""


class Frame(NamedTuple):
    """What stands around a condition's articles, and the condition's name for a subject."""

    name: str
    heading: EncodedFragment
    end: SplitFragment


class Joined(NamedTuple):
    """A reader's body, ready for the wire, and the conditions of its sections in their order."""

    text: bytes
    html: bytes
    conditions: Sequence[int]


class DigestBody:
    """The bodies of one digest run in one language.

    `articles` are the fragments that were approved, by article; `conditions` say what each
    article is about, the one that readers see first in front; `frames` go around a condition's
    articles; `sign` makes the token that stops a section, from subscription and condition.
    """

    def __init__(
        self,
        *,
        articles: Mapping[int, EncodedFragment],
        conditions: Mapping[int, Sequence[int]],
        frames: Mapping[int, Frame],
        sign: Callable[[int, int], str],
    ) -> None:
        self._articles = articles
        self._conditions = conditions
        self._frames = frames
        self._sign = sign

    def holds(self, article_ids: Sequence[int], follows: Collection[int]) -> bool:
        """True when at least one of the articles would be shown to who follows these."""
        return any(self._section_of(article, follows) is not None for article in article_ids)

    def name(self, condition: int) -> str:
        return self._frames[condition].name

    def join(
        self,
        subscription_id: int,
        article_ids: Sequence[int],
        follows: Collection[int],
        last: EncodedFragment | None = None,
    ) -> Joined:
        """Return the reader's body: `article_ids` in their order, gathered under the conditions
        among `follows` that brought them, and `last` at the end.

        An article about none of them is left out: the reader stopped that condition after the
        plan was made. Raises NothingLeft when none is to be shown.
        """
        sections: dict[int, list[EncodedFragment]] = {}
        for article in article_ids:
            condition = self._section_of(article, follows)
            if condition is not None:
                sections.setdefault(condition, []).append(self._articles[article])
        if not sections:
            raise NothingLeft("Nothing of this digest is to be shown any more.")
        text: list[bytes] = []
        html: list[bytes] = []
        for condition, fragments in sections.items():
            _name, heading, end = self._frames[condition]
            token = self._sign(subscription_id, condition).encode("ascii")
            text.append(heading.text)
            text += [fragment.text for fragment in fragments]
            text += (end.text_before, token, end.text_after)
            html.append(heading.html)
            html += [fragment.html for fragment in fragments]
            html += (end.html_before, token, end.html_after)
        if last is not None:
            text.append(last.text)
            html.append(last.html)
        return Joined(b"".join(text), b"".join(html), list(sections))

    def _section_of(self, article: int, follows: Collection[int]) -> int | None:
        if article not in self._articles:
            return None
        for condition in self._conditions.get(article, ()):
            if condition in follows and condition in self._frames:
                return condition
        return None
