"""What a form says against what was typed, in words, each with the way to its field or block."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from wagtail.blocks import StreamValue
from wagtail.blocks.base import BlockField

from newsletter.approval.preflight import Finding, Level

# Not one of preflight's: the form itself refuses it.
CODE = "not_readable"


def refusals(form: Any) -> list[Finding]:
    """Return one finding for each thing that `form`, which is not valid, refuses."""
    found: list[Finding] = []
    for name, errors in form.errors.as_data().items():
        field = form.fields.get(name)
        for error in errors:
            if isinstance(field, BlockField):
                body = field.widget.value_from_datadict(form.data, form.files, name)
                found += _in_body(error, body, name)
            else:
                label = capfirst(str(field.label)) if field else ""
                found += [_finding(label, words, name) for words in error.messages]
    return found


def _in_body(error: ValidationError, body: StreamValue, name: str) -> Iterator[Finding]:
    for place, inside in sorted(getattr(error, "block_errors", {}).items()):
        child = body[place]
        for words in _words(inside):
            yield _finding(str(child.block.label), words, name, block=str(child.id or ""))
    for outside in getattr(error, "non_block_errors", None) or []:
        yield _finding("", str(outside), name)


def _words(error: Any) -> Iterator[str]:
    """Everything said inside a block, however deep."""
    inner = getattr(error, "block_errors", None)
    if inner is None:
        yield from error.messages
        return
    for one in inner.values():
        yield from _words(one)
    yield from map(str, getattr(error, "non_block_errors", None) or [])


def _finding(label: str, words: str, name: str, *, block: str = "") -> Finding:
    message = f"{label}: {words}" if label else words
    return Finding(Level.ERROR, CODE, message, "" if name == "__all__" else name, block)
