"""A filled-in sign-up form, waiting for its confirmation."""

from django.db import models

from signup.models.consent import ConsentText
from signup.models.subscriber import Subscriber
from signup.models.subscription import Subscription


class SignUp(models.Model):
    """What somebody typed. It changes nothing until the button behind the mail is pressed.

    So a stranger who types another person's address can neither follow conditions for that
    person nor change what is already there.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="sign_ups")
    first_name = models.CharField(max_length=60, blank=True)
    newsletters = models.ManyToManyField("catalogue.Newsletter", related_name="+")
    conditions = models.ManyToManyField("catalogue.Condition", related_name="+")
    consent_texts = models.ManyToManyField(ConsentText, related_name="+")
    cadence = models.CharField(
        max_length=10, choices=Subscription.Cadence, default=Subscription.Cadence.WEEKLY
    )
    language = models.CharField(max_length=10, default="en")
    form_url = models.CharField(max_length=500)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
