"""What an embedded form can take today: what staff chose for it, less what is closed or retired."""

from dataclasses import dataclass

from newsletter.catalogue.models import Condition, Newsletter
from signup.models import EmbedForm
from signup.subscribe import digest_newsletters, needs_health_consent


@dataclass(frozen=True, slots=True)
class Offer:
    """`digests` are what the conditions travel in; they have no box of their own."""

    newsletters: tuple[Newsletter, ...]
    conditions: tuple[Condition, ...]
    digests: tuple[Newsletter, ...]

    @property
    def is_empty(self) -> bool:
        return not self.newsletters and not self.conditions

    @property
    def is_single(self) -> bool:
        """True when there is nothing to choose: the form is about this one thing."""
        return len(self.newsletters) + len(self.conditions) == 1

    @property
    def may_need_health_consent(self) -> bool:
        return needs_health_consent(self.newsletters, self.conditions)


def offer_of(form: EmbedForm) -> Offer:
    """Return what `form` offers today. Conditions without an open digest are left out."""
    chosen = list(form.newsletters.filter(open_for_signup=True))
    digests = [one for one in chosen if one.is_digest] or list(digest_newsletters())
    conditions = list(form.conditions.filter(retired_at__isnull=True)) if digests else []
    return Offer(
        newsletters=tuple(one for one in chosen if not one.is_digest),
        conditions=tuple(conditions),
        digests=tuple(digests) if conditions else (),
    )
