"""What a newsletter's mails look like: its colours, names and the direction of its language."""

from dataclasses import dataclass

from django.utils.safestring import mark_safe
from django.utils.translation import get_language_info

from newsletter.catalogue import brand
from newsletter.catalogue.models import Newsletter, Publisher
from newsletter.catalogue.models.colour import OUR_GREEN
from newsletter.rendering.cleaning import clean, clean_line
from newsletter.rendering.pictures import logo_in_mail

# Ours, and no markup: they stand in styles and attributes as they are.
GEORGIA = mark_safe("Georgia, 'Times New Roman', serif")
SANS = mark_safe("-apple-system, 'Segoe UI', Roboto, Arial, sans-serif")
_FONTS = {
    Newsletter.FontStack.HOUSE: (GEORGIA, SANS),
    Newsletter.FontStack.SANS: (SANS, SANS),
    Newsletter.FontStack.SERIF: (GEORGIA, GEORGIA),
}
OUR_GREEN_IN_THE_DARK = "#7FD1C7"
LOGO_HEIGHT = 48
# Keeps a mail program from filling the preview line with the mail's first words.
FILLER = "\u00a0\u200c" * 60


@dataclass(frozen=True, slots=True)
class Look:
    language: str
    rtl: bool
    brand: str
    brand_dark: str
    newsletter_name: str
    publisher_name: str
    postal_address: str
    footer_note: str
    emergency_number: str
    logo_url: str
    logo_width: int
    country: str = ""
    endorsement_policy_url: str = ""
    heading_font: str = GEORGIA
    text_font: str = SANS

    def context(self) -> dict[str, object]:
        names = self.__slots__
        return {**{name: getattr(self, name) for name in names}, "preheader_filler": FILLER}


def look_of(newsletter: Newsletter, language: str) -> Look:
    publisher = Publisher.current()
    light, dark = colours(newsletter.brand_colour)
    logo_url, logo_width = _logo(newsletter)
    # A digest's articles are compiled once for all digests, so those keep to the house's fonts.
    stack = Newsletter.FontStack.HOUSE if newsletter.is_digest else newsletter.font_stack
    heading_font, text_font = _FONTS[Newsletter.FontStack(stack)]
    return Look(
        language=language,
        rtl=is_rtl(language),
        brand=light,
        brand_dark=dark,
        newsletter_name=clean_line(newsletter.name),
        publisher_name=clean_line(publisher.name),
        postal_address=clean(newsletter.postal_address or publisher.postal_address).strip(),
        footer_note=clean(newsletter.footer).strip(),
        emergency_number=clean_line(newsletter.emergency_number(publisher.emergency_number)),
        logo_url=logo_url,
        logo_width=logo_width,
        country=newsletter.country,
        endorsement_policy_url=publisher.endorsement_policy_url,
        heading_font=heading_font,
        text_font=text_font,
    )


def colours(colour: str) -> tuple[str, str]:
    """Return the brand's colour on paper and in the dark.

    A colour in which links could not be read (it came in past the form) gives way to our green.
    """
    if colour.upper() == OUR_GREEN or not brand.readable(colour):
        return OUR_GREEN, OUR_GREEN_IN_THE_DARK
    derived = brand.derive(colour)
    return derived.light, derived.dark


def is_rtl(language: str) -> bool:
    try:
        return bool(get_language_info(language)["bidi"])
    except KeyError:
        return False


def _logo(newsletter: Newsletter) -> tuple[str, int]:
    if newsletter.logo is None:
        return "", 0
    kept = logo_in_mail(newsletter.logo, height=LOGO_HEIGHT)
    return kept.url, kept.width
