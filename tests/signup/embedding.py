"""A form on another web site, and what a browser sends from it."""

from html.parser import HTMLParser
from typing import Any

from newsletter.catalogue.models import Condition, Newsletter
from signup import guard
from signup.consent import current_texts
from signup.embed import snippet
from signup.embed.offer import offer_of
from signup.models import EmbedForm

PAGE = "https://clinic.example/thank-you/?from=footer"
ORIGIN = "https://clinic.example"


def make_form(
    *things: Newsletter | Condition, return_pages: str = PAGE, **values: Any
) -> EmbedForm:
    form = EmbedForm.objects.create(
        **{"name": "Footer of the clinic", "return_pages": return_pages, **values}
    )
    form.newsletters.set([one for one in things if isinstance(one, Newsletter)])
    form.conditions.set([one for one in things if isinstance(one, Condition)])
    return form


def html_of(form: EmbedForm, return_to: str | None = PAGE) -> str:
    return snippet.render(form, offer_of(form), return_to=return_to)


def path_of(form: EmbedForm) -> str:
    return f"/en/sign-up/embed/{form.public_id}/"


def token(language: str = "en") -> str:
    return guard.form_token(guard.Place.EMBEDDED, current_texts(language))


def sent(**changes: Any) -> dict[str, Any]:
    """What Ada's browser sends after she ticked both boxes on the clinic's page."""
    return {
        "form_token": token(),
        "return_to": PAGE,
        "nickname_2": "",
        "email": "ada@example.org",
        "consent_mail": "on",
        "consent_health": "on",
        **changes,
    }


class Fields(HTMLParser):
    """The fields of a page as a browser would send them: `values`, and what is ticked."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.boxes: dict[tuple[str, str], bool] = {}
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        name = values.get("name")
        if tag != "input" or not name:
            return
        if values.get("type") == "checkbox":
            self.boxes[name, values["value"] or ""] = "checked" in values
            if "checked" not in values:
                return
        self.values.setdefault(name, []).append(values.get("value") or "")
