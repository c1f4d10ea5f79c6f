"""Something that staff have to know of, from when it began until it was over."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Alarm(models.Model):
    class Kind(models.TextChoices):
        STALLED = "stalled", _("A mailing does not move")
        STOPPED = "stopped", _("A mailing stopped by itself")
        RELAY = "relay", _("A relay cannot be reached")
        JOURNAL = "journal", _("A worker's journal cannot be written")
        MAILBOX = "mailbox", _("The bounce mailbox cannot be read")

    kind = models.CharField(max_length=10, choices=Kind)
    # What it is about, for the machine: "mailing 12", a relay, a host.
    about = models.CharField(max_length=200)
    text = models.CharField(max_length=500)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # When each way out took the news of its beginning, and of its end.
    mailed_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    end_mailed_at = models.DateTimeField(null=True)
    end_posted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about"],
                condition=Q(ended_at__isnull=True),
                name="one_open_alarm_of_a_kind",
            )
        ]
        indexes = [models.Index(fields=["began_at"], name="alarm_by_age")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"

    @property
    def mailing_number(self) -> int | None:
        """The mailing that it is about; None for a relay or a worker."""
        what, _blank, number = self.about.partition(" ")
        return int(number) if what == "mailing" and number.isdecimal() else None
