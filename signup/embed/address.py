"""Where an embedded form is sent, and what the ledger calls the page it stood on."""

from urllib.parse import quote

from django.conf import settings

from signup import consent
from signup.models import EmbedForm


def language_of(form: EmbedForm) -> str:
    """Return the form's language; the service's own while its wording is not approved."""
    offered = consent.languages_offered()
    return form.language if form.language in offered else str(settings.LANGUAGE_CODE)


def url_of(form: EmbedForm) -> str:
    """Return the address that the form is sent to; opened, it shows the same form on our site.

    With the language in front, so that every page after it speaks the same.
    """
    return f"{settings.BASE_URL}/{form.language}/sign-up/embed/{form.public_id}/"


def stood_on(form: EmbedForm, origin: str | None) -> str:
    """Return the form's address for the ledger, with the web site that a browser says it came from.

    `origin` is noted only if it is one of the form's own; anybody can write that header.
    """
    if origin is None or origin not in form.origins:
        return url_of(form)
    return f"{url_of(form)}?on={quote(origin, safe=':/')}"
