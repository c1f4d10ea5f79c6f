"""Why somebody left, if they cared to say."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from signup.models.subscription import Subscription


class Parting(models.Model):
    """Said on the goodbye page, never asked for before it. Goes after 90 days, and with the reader.

    A reason of the list is all that reports count. The reader's own words stay short and are read
    by nobody but the people of the newsletter.
    """

    class Reason(models.TextChoices):
        TOO_MANY = "too_many", _("too many e-mails")
        NOT_FOR_ME = "not_for_me", _("not what I hoped for")
        NO_LONGER = "no_longer", _("the topic no longer concerns me")
        HARD_TO_READ = "hard_to_read", _("hard to read or to understand")
        NEVER_ASKED = "never_asked", _("I did not sign up for this")
        OTHER = "other", _("something else")

    LONGEST = 300

    subscription = models.OneToOneField(
        Subscription, on_delete=models.CASCADE, related_name="parting"
    )
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    words = models.CharField(max_length=LONGEST, blank=True)
    at = models.DateTimeField()
