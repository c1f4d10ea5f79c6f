"""Blocks that look after the reader: whom to call, whom a part is for, what they think of it."""

from collections.abc import Sequence
from typing import Any

from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from newsletter.catalogue.models import Condition
from newsletter.rendering.blocks.page import Page, Prepare
from newsletter.rendering.cleaning import clean_line
from newsletter.rendering.look import Look


def _emergency(value: Any, page: Page) -> dict[str, Any]:
    look, condition = page.look, value.get("condition")
    number = clean_line(value["number"]) or look.emergency_number
    signs = [clean_line(sign) for sign in value["signs"] if str(sign).strip()]
    if condition and not signs:
        signs = [clean_line(sign) for sign in condition.emergency_sign_list]
    return {
        "title": clean_line(value["title"]) or _("Get emergency help at once"),
        "signs": signs,
        "number": number,
        "dialled": dialled(number),
        "help_lines": help_lines(condition, look) if condition else [],
    }


def help_lines(condition: Condition, look: Look) -> list[dict[str, str]]:
    """Return whom else to call about a condition, where the newsletter's readers live."""
    return [
        {
            "name": clean_line(line.name),
            "number": clean_line(line.number),
            "dialled": dialled(line.number),
            "url": line.url,
            "hours": clean_line(line.hours),
        }
        for line in condition.help_lines.all()
        if line.country in ("", look.country) and line.language in ("", look.language)
    ]


def dialled(number: str) -> str:
    return "".join(sign for sign in number if sign in "+0123456789")


def because(conditions: Sequence[Condition]) -> str:
    names = [clean_line(condition.name) for condition in conditions]
    return _("Because you follow %(conditions)s") % {"conditions": get_text_list(names, _("or"))}


def _feedback(value: Any, page: Page) -> dict[str, Any] | None:
    if not page.feedback_url:
        return None
    return {
        "question": clean_line(value["question"]),
        "more_url": f"{page.feedback_url}more/",
        "less_url": f"{page.feedback_url}less/",
    }


PREPARE: dict[str, Prepare] = {"emergency": _emergency, "feedback": _feedback}
