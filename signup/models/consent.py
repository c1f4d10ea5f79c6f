"""The wording that was shown, and the append-only ledger of what was said to it."""

import uuid
from typing import Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from signup.models.subscriber import Subscriber


class ConsentTextQuerySet(models.QuerySet["ConsentText"]):
    def approved(self) -> Self:
        return self.filter(approved_at__isnull=False)

    def drafts(self) -> Self:
        return self.filter(approved_at__isnull=True)


class ConsentText(models.Model):
    """The exact wording of one box: a draft until data protection approves it, then for ever.

    Triggers refuse every change to an approved one. A new wording is a new row.
    """

    class Purpose(models.TextChoices):
        MAIL = "mail", _("receive the newsletter by e-mail")
        HEALTH = "health", _("use the conditions followed to choose articles")
        MEASUREMENT = "measurement", _("measure what is read")

    purpose = models.CharField(max_length=20, choices=Purpose)
    language = models.CharField(max_length=10)
    version = models.PositiveIntegerField()
    wording = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    # Shown to nobody before. Names stand here as words: who approved must outlive the account.
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=150, blank=True)
    drafted_by = models.CharField(max_length=150, blank=True)

    objects = ConsentTextQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "language", "version"], name="one_text_per_version"
            ),
            # So that versions are approved in their order.
            models.UniqueConstraint(
                fields=["purpose", "language"],
                condition=Q(approved_at__isnull=True),
                name="one_draft_per_wording",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.language} v{self.version}"

    @property
    def is_draft(self) -> bool:
        return self.approved_at is None


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
    # How far the chain stands in a seal outside the database (signup.consent.seals).
    sealed_seq = models.PositiveIntegerField(default=0)


class ConsentEntry(models.Model):
    """One line of the ledger. Written by signup.consent only; triggers refuse any change."""

    class Action(models.TextChoices):
        GIVEN = "given", _("given")
        CONFIRMED = "confirmed", _("confirmed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        IMPORTED = "imported", _("imported with evidence")
        SOFT_OPT_IN = "soft_opt_in", _("soft opt-in after a sale")
        EXPIRED = "expired", _("expired")
        ERASED = "erased", _("erased")
        # Stands where older lines were, once their time had passed (signup.consent.retention).
        TOMBSTONE = "tombstone", _("older lines removed")

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
        RENEWAL = "renewal", _("button behind the mail that asked anew")
        SALE = "sale", _("address given at a sale")
        IMPORT = "import", _("import")
        TERM = "term", _("the time stated for it had passed")

    # The legal bases for mailing somebody, each a value of its own.
    BASES = (Action.CONFIRMED, Action.SOFT_OPT_IN, Action.IMPORTED)
    # Those that were not given to us on a form of ours: never without evidence.
    NEED_EVIDENCE = (Action.SOFT_OPT_IN, Action.IMPORTED)

    # No foreign key: the chain outlives the reader it was about.
    subject = models.UUIDField()
    seq = models.PositiveIntegerField()
    action = models.CharField(max_length=20, choices=Action)
    # Empty for ERASED, which ends every purpose, and for TOMBSTONE.
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
            models.UniqueConstraint(fields=["subject", "seq"], name="one_entry_per_place"),
            models.CheckConstraint(
                condition=~Q(action__in=["soft_opt_in", "imported"]) | ~Q(evidence=""),
                name="basis_has_evidence",
            ),
        ]


class ConsentTerm(models.Model):
    """How long consent to one newsletter lasts after the last mail; no row: the setting's time."""

    newsletter = models.OneToOneField(
        "catalogue.Newsletter", primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    days = models.PositiveIntegerField(
        _("days"),
        validators=[MaxValueValidator(3660)],
        help_text=_("0: it never expires by itself."),
    )


class LedgerSeal(models.Model):
    """A seal that was written outside the database, noted here so that a lost file shows."""

    number = models.PositiveIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    chains = models.PositiveIntegerField()
    file_hash = models.BinaryField(max_length=32)
