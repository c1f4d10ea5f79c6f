"""What every template may name."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from newsletter.catalogue.models import PublicWords, Publisher


def publisher(request: HttpRequest) -> dict[str, object]:
    """Offer `publisher` and `words`, each read when a template first asks for it."""
    return {
        "publisher": SimpleLazyObject(Publisher.current),
        "words": SimpleLazyObject(PublicWords.current),
    }
