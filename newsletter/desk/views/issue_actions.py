"""A finished issue in staff's own inboxes. Form, verb, redirect."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from newsletter.desk.access import COMPOSE_ISSUE, SEND, require_any
from newsletter.desk.forms import TestSendForm
from newsletter.desk.views.way import IssueWay
from newsletter.editions.models import Issue
from newsletter.sending.test_send import send_test
from newsletter.transports.errors import TransportError
from newsletter.transports.values import Outcome, Receipt


@require_POST
def test_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test, marked as one, to staff addresses. No Delivery, no count."""
    require_any(request, SEND, COMPOSE_ISSUE)
    issue = get_object_or_404(Issue, pk=pk)
    content: Issue = issue.get_latest_revision_as_object()
    form = TestSendForm(request.POST, seeds=content.newsletter.seeds)
    if not form.is_valid():
        return IssueWay.again(request, pk, test_form=form)
    addresses = form.addresses()
    try:
        receipts = send_test(content, addresses)
    except TransportError as closed:
        messages.error(request, _("The test did not go out. %(why)s") % {"why": closed})
        return redirect("desk:issue", pk)
    _report_test(request, zip(addresses, receipts, strict=True))
    return redirect("desk:issue", pk)


test_send.__test__ = False  # type: ignore[attr-defined]


def _report_test(request: HttpRequest, receipts: Iterable[tuple[str, Receipt]]) -> None:
    for address, receipt in receipts:
        if receipt.outcome == Outcome.ACCEPTED:
            messages.success(request, _("A test is on its way to %(to)s.") % {"to": address})
        else:
            messages.error(
                request,
                _("The test to %(to)s was not accepted: %(reply)s")
                % {"to": address, "reply": receipt.as_line() or receipt.outcome},
            )
