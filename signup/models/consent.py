"""The wording that was shown, and the append-only ledger of what was said to it."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from signup.models.subscriber import Subscriber


class ConsentText(models.Model):
    """The exact wording of one box, immutable once shown."""

    class Purpose(models.TextChoices):
        MAIL = "mail", _("receive the newsletter by e-mail")
        HEALTH = "health", _("use the conditions followed to choose articles")
        MEASUREMENT = "measurement", _("measure what is read")

    purpose = models.CharField(max_length=20, choices=Purpose)
    language = models.CharField(max_length=10)
    version = models.PositiveIntegerField()
    wording = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "language", "version"], name="one_text_per_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.language} v{self.version}"


class ConsentSubject(models.Model):
    """The random name under which the ledger knows a reader, and the head of that chain.

    Erasure empties `subscriber`; the chain stays, and names nobody.
    """

    subject = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subscriber = models.OneToOneField(
        Subscriber, null=True, on_delete=models.SET_NULL, related_name="consent_subject"
    )
    head_seq = models.PositiveIntegerField(default=0)
    head_hash = models.BinaryField(max_length=32, default=bytes)


class ConsentEntry(models.Model):
    """One line of the ledger. Written by signup.consent only; triggers refuse any change."""

    class Action(models.TextChoices):
        GIVEN = "given", _("given")
        CONFIRMED = "confirmed", _("confirmed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        IMPORTED = "imported", _("imported")
        ERASED = "erased", _("erased")

    class Method(models.TextChoices):
        FORM = "form", _("sign-up form")
        CONFIRMATION = "confirmation", _("button behind the confirmation mail")
        PREFERENCES = "preferences", _("preferences page")
        LINK = "link", _("link in a mail")
        ONE_CLICK = "one_click", _("one-click unsubscribe (RFC 8058)")
        UNDO = "undo", _("undo button")
        COMPLAINT = "complaint", _("complaint")
        BOUNCE = "bounce", _("bounce")
        STAFF = "staff", _("staff")
        COMMAND = "command", _("management command")

    # No foreign key: the chain outlives the reader it was about.
    subject = models.UUIDField()
    seq = models.PositiveIntegerField()
    action = models.CharField(max_length=10, choices=Action)
    # Empty for ERASED, which ends every purpose.
    purpose = models.CharField(max_length=20, choices=ConsentText.Purpose, blank=True)
    newsletter = models.ForeignKey(
        "catalogue.Newsletter", null=True, on_delete=models.PROTECT, related_name="+"
    )
    text = models.ForeignKey(ConsentText, null=True, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=20, choices=Method)
    form_url = models.CharField(max_length=500, blank=True)
    evidence = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()
    key_version = models.PositiveSmallIntegerField()
    previous_hash = models.BinaryField(max_length=32)
    entry_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "seq"], name="one_entry_per_place")
        ]
