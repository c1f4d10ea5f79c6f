"""Which reader a command is about."""

from django.core.management.base import CommandError

from signup.address import BadAddress, normalise
from signup.models import Subscriber


def reader_at(typed: str) -> Subscriber:
    """Return the reader with this address, or raise CommandError in words for the operator."""
    try:
        address = normalise(typed)
    except BadAddress as error:
        raise CommandError(str(error)) from error
    subscriber = Subscriber.objects.filter(email_key=address.key).first()
    if subscriber is None:
        raise CommandError("No reader has this address. An erased reader has none either.")
    return subscriber
