"""A reader asks to be mailed at another address, which has to say yes itself."""

from django.db import models

from signup.models.subscriber import Subscriber


class AddressChange(models.Model):
    """What was typed on the preferences page. Changes nothing until the new mailbox confirms."""

    subscriber = models.ForeignKey(
        Subscriber, on_delete=models.CASCADE, related_name="address_changes"
    )
    email = models.EmailField(max_length=254)
    email_key = models.CharField(max_length=254)
    # Filled in when it is confirmed, so that the old mailbox can be told; goes with the row.
    old_email = models.EmailField(max_length=254, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
