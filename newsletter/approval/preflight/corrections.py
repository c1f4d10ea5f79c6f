"""What a correction owes to those who had the original: to say so at once, and plainly."""

from collections.abc import Iterator
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.approval.models import Approval
from newsletter.approval.preflight.findings import Finding, error, warning
from newsletter.editions.models import Issue


def findings(issue: Issue) -> Iterator[Finding]:
    original = issue.corrects
    if original is None:
        return
    blocks = list(issue.body.raw_data)
    notice = blocks[0] if blocks and blocks[0]["type"] == "correction" else None
    if notice is None:
        yield error(
            "correction_notice_missing",
            _("A correction begins with the block “Correction”: what was wrong, what is right."),
            "body",
        )
    elif not all(str(notice["value"].get(name) or "").strip() for name in _OWED):
        yield error(
            "correction_notice_missing",
            _("Say in the correction what was wrong, and what is right."),
            "body",
            block=notice.get("id") or "",
        )
    if original.newsletter_id != issue.newsletter_id:
        yield error(
            "correction_moved",
            _("It goes to those who had “%(title)s”. Choose that one's newsletter, “%(name)s”.")
            % {"title": original.title, "name": original.newsletter.name},
            "newsletter",
        )
    with translation.override(issue.language):
        word = _("Correction")
    if word.casefold() not in issue.subject.casefold():
        yield warning(
            "correction_not_said",
            _("The subject does not say “%(word)s”. In the inbox nobody can tell it is one.")
            % {"word": word},
            "subject",
        )
    if notice is not None and _words(blocks) == _words(_as_sent(original)):
        yield warning(
            "correction_unchanged",
            _("Below the correction everything is as it was sent. Mend what was wrong there too."),
            "body",
        )


_OWED = ("was_wrong", "is_right")


def _as_sent(original: Issue) -> list[Any]:
    """The body of what was approved last, which is what went out."""
    approval = (
        Approval.objects.filter(issue=original).select_related("revision").order_by("-pk").first()
    )
    return list(approval.revision.as_object().body.raw_data) if approval else []


def _words(blocks: list[Any]) -> list[tuple[str, Any]]:
    """The blocks without their ids, and without notices of corrections."""
    return [
        (block["type"], _bare(block["value"])) for block in blocks if block["type"] != "correction"
    ]


def _bare(value: Any) -> Any:
    """A block's value without the ids that Wagtail gives to what is inside it."""
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if name != "id"}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return value
