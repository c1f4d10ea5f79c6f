"""The domains that any mail of ours comes from, confirmations and invitations included."""

from django.conf import settings

from newsletter.catalogue.models import Newsletter, Publisher


def from_domains() -> list[str]:
    """Return the domain of every From address in use, each once."""
    addresses = [
        settings.DEFAULT_FROM_EMAIL,
        *Publisher.objects.values_list("system_from_email", flat=True),
        *Newsletter.objects.values_list("from_email", flat=True),
    ]
    domains = {one.rpartition("@")[2].strip(" >").lower() for one in addresses if one}
    return sorted(filter(None, domains))
