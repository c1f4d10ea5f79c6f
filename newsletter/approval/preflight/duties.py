"""What every mail owes its reader by law and by our promise: a way out, a postal address, and
whom to call in an emergency."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, mended_in
from newsletter.catalogue.models import Publisher
from newsletter.editions.models import Issue
from newsletter.rendering.issue import CompiledEdition
from newsletter.wire.slots import MARK, Slot


def findings(issue: Issue, edition: CompiledEdition, publisher: Publisher) -> Iterator[Finding]:
    parts = {_("HTML"): edition.html, _("plain text"): edition.text}
    for part, content in parts.items():
        slots = {match[1] for match in MARK.finditer(content)}
        if Slot.UNSUBSCRIBE_URL not in slots:
            yield error(
                "unsubscribe_missing",
                _("The %(part)s has no unsubscribe link. The mail's template has to hold it.")
                % {"part": part},
            )
    yield from _postal_address(issue, parts, publisher)
    number = issue.newsletter.emergency_number(publisher.emergency_number).strip()
    for part, content in parts.items():
        if not number or number not in content:
            yield mended_in(
                publisher,
                "emergency_number",
                error(
                    "emergency_missing",
                    _(
                        "The %(part)s does not say whom to call in an emergency. Set the emergency "
                        "number under Settings, Publisher."
                    )
                    % {"part": part},
                ),
            )


def _postal_address(issue: Issue, parts: dict[str, str], publisher: Publisher) -> Iterator[Finding]:
    address = issue.newsletter.postal_address.strip() or publisher.postal_address.strip()
    if not address:
        yield mended_in(
            publisher,
            "postal_address",
            error(
                "postal_address_missing",
                _("No postal address is set. Add it under Settings, Publisher."),
            ),
        )
        return
    first_line = address.splitlines()[0].strip()
    for part, content in parts.items():
        if first_line not in content:
            yield error(
                "postal_address_not_shown",
                _("The %(part)s does not show the postal address.") % {"part": part},
            )
