"""The words with which a correction begins, in the language that is active."""

from django.utils.translation import gettext as _


def marked(text: str, most: int) -> str:
    """Say before a title or subject that it is a correction, once however often it was corrected,
    in at most `most` characters, cut at a word."""
    prefix = _("Correction: %(what)s")
    whole = prefix % {"what": text.removeprefix(prefix % {"what": ""})}
    if len(whole) <= most:
        return whole
    return whole[: most - 1].rsplit(" ", 1)[0] + "…"


def preheader() -> str:
    return _("We made a mistake in our last mail. Here is what is right.")
