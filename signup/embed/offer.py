"""What an embedded form can take today: what staff chose for it, less what is closed or retired."""

from dataclasses import dataclass
from functools import partial

from newsletter.catalogue.models import Condition, Newsletter
from signup import offered
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


def offer_of(form: EmbedForm, *, remembered: bool = False) -> Offer:
    """Return what `form` offers today. Conditions without an open digest are left out.

    `remembered` takes the conditions as this process read them up to a second ago, for what is
    checked against a sent form (signup.offered): hundreds may be offered.
    """
    chosen = list(form.newsletters.filter(open_for_signup=True))
    digests = [one for one in chosen if one.is_digest] or list(digest_newsletters())
    conditions: tuple[Condition, ...] = ()
    if digests:
        read = partial(_conditions_of, form)
        conditions = offered.embedded(form.pk, read) if remembered else read()
    return Offer(
        newsletters=tuple(one for one in chosen if not one.is_digest),
        conditions=conditions,
        digests=tuple(digests) if conditions else (),
    )


def _conditions_of(form: EmbedForm) -> tuple[Condition, ...]:
    """Without their pages of text."""
    return tuple(form.conditions.filter(retired_at__isnull=True).only("name", "slug", "group"))
