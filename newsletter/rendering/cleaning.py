"""Text that people wrote, before it meets a template."""

import re

from newsletter.wire.slots import strip_marks

# Control characters but tab and line feed, and lone surrogates: no mail program shows them, and
# mrml's XML reader stops at them.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: object) -> str:
    """Return `text` without slot marks and control characters, line ends as line feeds."""
    unified = str(text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNPRINTABLE.sub("", strip_marks(unified))


def clean_line(text: object) -> str:
    """Return `text` cleaned and on one line."""
    return " ".join(clean(text).split())
