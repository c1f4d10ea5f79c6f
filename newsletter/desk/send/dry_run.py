"""A dry run, before approval as after it: exactly who, who not and why, what, how large, how long.

No reader is named or shown. The copies are those of the kinds of readers that there are, with a
made-up name; one reader's own copy takes the permission and the reason of `looks.as_reader`.
"""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from newsletter.approval.timing import Timing
from newsletter.audience.reasons import Reason
from newsletter.desk.access import COMPOSE_ISSUE, SEND, require_any
from newsletter.desk.frame import frame
from newsletter.desk.send.outlook import domain_rates, outlook
from newsletter.editions.models import Issue
from newsletter.editions.models.preview import contained
from newsletter.rendering import preview
from newsletter.sending import dry_run as runs
from newsletter.wire.mjml import MjmlError

# The worst first, and what is nobody's fault last.
REASONS: tuple[tuple[str, Any], ...] = (
    (Reason.SUPPRESSED, gettext_lazy("Must not be mailed: bounced, complained, or asked for it")),
    (Reason.PAUSED, gettext_lazy("Paused by the reader")),
    (Reason.NO_CONSENT, gettext_lazy("No consent that can be shown")),
    (Reason.NOT_TOLD, gettext_lazy("Not told yet where the address came from")),
    (Reason.ERASED, gettext_lazy("Erased")),
    (runs.PENDING, gettext_lazy("Signed up and never confirmed")),
    (runs.ENDED, gettext_lazy("Left, for whatever reason")),
    (Reason.NOT_LIVE, gettext_lazy("No longer subscribed")),
)
NAMED, UNNAMED, FOLLOWS_NONE = "with-name", "without-name", "follows-none"


@dataclass(frozen=True, slots=True)
class Sample:
    kind: str
    form: str
    label: str
    # How many readers get theirs like this; None where saying so would count who follows what.
    readers: int | None
    url: str


@never_cache
@require_safe
def dry_run(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, COMPOSE_ISSUE, SEND)
    issue = get_object_or_404(Issue.objects.select_related("newsletter"), pk=pk)
    content: Issue = issue.get_latest_revision_as_object()
    counted = runs.audience(content, tuple(domain_rates()))
    try:
        size = runs.size(content)
    except MjmlError as error:
        size, broken = None, str(error)
    else:
        broken = ""
    now = timezone.now()
    context = {
        "issue": issue,
        "content": content,
        "newsletter": content.newsletter,
        "audience": counted,
        "excluded": [
            (label, counted.excluded[reason])
            for reason, label in REASONS
            if counted.excluded[reason]
        ],
        "size": size,
        "broken": broken,
        "together": size.message * counted.readers if size else 0,
        "outlook": outlook(Timing(now, timezone.get_current_timezone_name(), now), counted),
        "samples": [] if broken else _samples(content, counted),
        "may_send": request.user.has_perm(SEND),
        **frame(
            _("Dry run: %(title)s") % {"title": content.title},
            icon="mail",
            between=[(content.title, reverse("desk:issue", args=(pk,)))],
            here=_("Dry run"),
        ),
    }
    return TemplateResponse(request, "desk/send/dry_run.html", context)


@never_cache
@require_safe
@xframe_options_sameorigin
def sample(request: HttpRequest, pk: int, reader: str, form: str) -> HttpResponse:
    """One copy, in a frame. Its links are nobody's."""
    require_any(request, COMPOSE_ISSUE, SEND)
    issue = get_object_or_404(Issue, pk=pk)
    content: Issue = issue.get_latest_revision_as_object()
    if reader not in (NAMED, UNNAMED, FOLLOWS_NONE) or form not in ("html", "text"):
        raise Http404
    example = preview.Example(
        "" if reader == UNNAMED else _("Maria"), frozenset() if reader == FOLLOWS_NONE else None
    )
    if form == "text":
        return contained(preview.issue_text(content, example), "text/plain")
    return contained(preview.issue_html(content, reader=example), "text/html")


def _samples(content: Issue, counted: runs.Audience) -> list[Sample]:
    def one(kind: str, form: str, label: str, readers: int | None) -> Sample:
        url = reverse("desk:issue_sample", args=(content.pk, kind, form))
        return Sample(kind, form, label, readers, url)

    unnamed = counted.readers - counted.named
    found = [one(NAMED, "html", _("Readers who told us their first name"), counted.named)]
    if unnamed or "{first_name" not in content.greeting:
        found.append(one(UNNAMED, "html", _("Readers without a name"), unnamed))
    if content.has_parts_for_followers:
        found.append(
            one(FOLLOWS_NONE, "html", _("Readers who follow none of what parts are for"), None)
        )
    found.append(
        one(NAMED, "text", _("Text alone, as some chose, and beside the HTML"), counted.text_only)
    )
    return found
