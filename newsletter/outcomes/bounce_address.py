"""Which copy a bounce is about: told by the signed address it came to, and by nothing in it."""

from django.conf import settings

from newsletter.sending.models import Delivery
from newsletter.transports.return_path import BadReturnPath, read_return_path


def delivery_of(address: str) -> Delivery | None:
    """Return the delivery whose copy had `address` for its return path (BOUNCE_DOMAIN).

    Any string may be given. None for what we did not sign, and for a copy that is not kept any
    more: neither changes anything (standards C1).
    """
    if not settings.BOUNCE_DOMAIN:
        return None
    try:
        pk = read_return_path(address, settings.TOKEN_KEYS, settings.BOUNCE_DOMAIN)
    except BadReturnPath:
        return None
    return Delivery.objects.filter(pk=pk).select_related("mailing", "subscriber").first()
