"""The HTML to copy into a page: plain, without script, style or anything that is fetched."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from newsletter.catalogue.models import PublicWords
from signup import consent, guard
from signup.embed.address import language_of, url_of
from signup.embed.offer import Offer
from signup.models import EmbedForm


def render(form: EmbedForm, offer: Offer, *, return_to: str | None) -> str:
    """Return the HTML of `form` with today's wordings, in the form's language.

    The signed token in it says which wordings stand beside the boxes. When data protection
    approves others, the page keeps working: our own page then shows the new words and asks again.
    """
    language = language_of(form)
    with translation.override(language):
        texts = consent.current_texts(language)
        return render_to_string(
            "signup/embed/snippet.html",
            {
                "form": form,
                "offer": offer,
                "language": language,
                "rtl": translation.get_language_bidi(),
                "action": url_of(form),
                "form_token": guard.form_token(guard.Place.EMBEDDED, texts),
                "return_to": return_to,
                "wording": {purpose.value: text.wording for purpose, text in texts.items()},
                "words": PublicWords.current(),
                "privacy_url": f"{settings.BASE_URL}/{language}{reverse('signup:privacy')}",
            },
        )
