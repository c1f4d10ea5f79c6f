"""Who pays is said, by which rules is said, and nobody pays to stand beside an emergency
(standards I3, I5)."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from django.utils import translation
from django.utils.translation import gettext as _

from newsletter.approval.preflight.findings import Finding, error, mended_in
from newsletter.approval.preflight.outline import Part
from newsletter.catalogue.models import Publisher

SPONSOR = "sponsor"
_EMERGENCY = "emergency"
# A line or a heading between two blocks does not part them.
_THIN = frozenset({"divider", "heading"})


def findings(parts: Sequence[Part], publisher: Publisher, language: str) -> Iterator[Finding]:
    paid = [part for part in parts if part.kind == SPONSOR]
    for part in paid:
        yield from _labelled(part, language)
    if paid and not publisher.endorsement_policy_url:
        yield mended_in(
            publisher,
            "endorsement_policy_url",
            error(
                "sponsor_policy_missing",
                _(
                    "A sponsor's words need your rules for sponsors. Add their address under "
                    "Settings, Publisher."
                ),
                "body",
                block=paid[0].block,
            ),
        )
    standing = [part for part in parts if part.kind not in _THIN]
    for one, next_one in pairwise(standing):
        kinds = {one.kind, next_one.kind}
        if SPONSOR in kinds and (_EMERGENCY in kinds or _urgent(one) or _urgent(next_one)):
            sponsor = one if one.kind == SPONSOR else next_one
            yield error(
                "sponsor_beside_emergency",
                _(
                    "A sponsor stands beside the emergency box. Move it away: nothing paid may be "
                    "taken for help."
                ),
                "body",
                block=sponsor.block,
            )


def _labelled(part: Part, language: str) -> Iterator[Finding]:
    """The label is the template's; what a translation or a theme makes of it is read here."""
    first_line = part.text.strip().splitlines()[0] if part.text.strip() else ""
    with translation.override(language):
        label = _("Advertisement. Paid for by %(name)s.") % {"name": ""}
    if not first_line.casefold().startswith(label.split(".")[0].casefold()):
        yield error(
            "sponsor_unlabelled",
            _("A sponsor's words are not marked as an advertisement. Say who pays."),
            "body",
            block=part.block,
        )


def _urgent(part: Part) -> bool:
    """True for a part that has the emergency box in it."""
    return part.kind == "only_for" and "***" in part.text
