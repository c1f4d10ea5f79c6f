"""The consent wordings of the other languages, approved as the data-protection person would.

In production they wait as drafts until a person has read them. The demo's person has, by the same
verb as at the desk, so that the demo speaks every language that was shipped.
"""

from newsletter.management.demo import staff
from signup.consent import texts
from signup.models import ConsentText

INSTALLATION = "installation"


def approve() -> int:
    """Approve the drafts as they were shipped. One that somebody rewrote is theirs to approve."""
    shipped = ConsentText.objects.drafts().filter(version=1, drafted_by=INSTALLATION)
    approved = 0
    for draft in shipped.order_by("language", "purpose"):
        texts.approve(text_id=draft.pk, wording=draft.wording, by=staff.DATA_PROTECTION)
        approved += 1
    return approved
