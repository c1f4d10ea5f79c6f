"""What a browser posts from the editor."""

from typing import Any

from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Issue


def issue_form(letter: Newsletter, /, **changes: Any) -> dict[str, Any]:
    """A complete form of the issue editor with one heading in its body."""
    values = {
        "title": "Moving in spring",
        "slug": "moving-in-spring",
        "subject": "Ten minutes that help your back",
        "preheader": "A short walk twice a day does more than a day in bed.",
        "greeting": "Hello {first_name|there},",
        "newsletter": letter.pk,
        "body-count": "1",
        "body-0-deleted": "",
        "body-0-order": "0",
        "body-0-type": "heading",
        "body-0-id": "11111111-1111-4111-8111-111111111111",
        "body-0-value": "A walk before breakfast",
    }
    return {**values, **changes}


def form_of(issue: Issue, **changes: Any) -> dict[str, Any]:
    names = ("title", "slug", "subject", "preheader", "greeting")
    return issue_form(
        issue.newsletter, **{**{name: getattr(issue, name) for name in names}, **changes}
    )
