"""Mailgun: one message with the readers' own values beside it, for up to a thousand of them.

Mailgun puts a value wherever the message says `%recipient.name%`. What differs from letter to
letter is found by laying the letters side by side, so that nothing but finished copies has to be
known here, and each letter is put together again to see that it comes out as it was.
"""

import re
from typing import Any

from anymail.backends import mailgun

from newsletter.transports.esp.letters import Letter

_WORDS = re.compile(r"([\s<>\"'/]+)")


class EmailBackend(mailgun.EmailBackend):
    def build_message_payload(self, message: Any, defaults: dict[str, Any]) -> Any:
        letters: list[Letter] = message.letters
        if len(letters) > 1:
            text = shared([letter.text for letter in letters], "t")
            html = shared([letter.html for letter in letters], "h")
            message.body = text.template
            if letters[0].html:
                message.alternatives = [(html.template, "text/html")]
            message.merge_data = {
                letter.address: text.values[at] | html.values[at]
                for at, letter in enumerate(letters)
            }
        return super().build_message_payload(message, defaults)


class Shared:
    """A text with marks, and for each letter what stands in their places."""

    def __init__(self, template: str, values: list[dict[str, str]]) -> None:
        self.template = template
        self.values = values


def shared(texts: list[str], prefix: str) -> Shared:
    """Return what the texts have in common; where they are built too differently, nothing."""
    rows = [_WORDS.split(text) for text in texts]
    if len({len(row) for row in rows}) > 1:
        return Shared(f"%recipient.{prefix}%", [{prefix: text} for text in texts])
    template: list[str] = []
    values: list[dict[str, str]] = [{} for _ in texts]
    names: dict[tuple[str, ...], str] = {}
    for words in zip(*rows, strict=True):
        if all(word == words[0] for word in words):
            template.append(words[0])
            continue
        name = names.setdefault(words, f"{prefix}{len(names)}")
        template.append(f"%recipient.{name}%")
        for value, word in zip(values, words, strict=True):
            value[name] = word
    return Shared("".join(template), values)
