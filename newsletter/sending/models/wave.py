"""Readers of one mailing whose clocks go alike, and when it is their turn."""

from django.db import models

from newsletter.sending.models.mailing import Mailing


class Wave(models.Model):
    """Planned one after the other, in the order of `place`. Its batches carry `begins_at`.

    The last one has no zones: it takes in whoever is left, such as those who moved house while
    the others were being planned.
    """

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="waves")
    place = models.PositiveSmallIntegerField()
    # IANA names, as readers' rows have them.
    zones = models.JSONField(default=list)
    # One of them, for people to read and for the hours of a window.
    clock = models.CharField(max_length=64)
    begins_at = models.DateTimeField()
    # The window's end on that day.
    closes_at = models.DateTimeField(null=True)
    # Where a plan that was interrupted goes on: the last subscriber planned.
    planned_upto = models.BigIntegerField(default=0)
    complete = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["mailing", "place"], name="one_wave_at_a_place")
        ]
