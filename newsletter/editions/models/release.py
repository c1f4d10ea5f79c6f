"""An article's entry into the digests."""

from typing import Self

from django.conf import settings
from django.db import models

from newsletter.editions.models.article import Article


class ReleaseQuerySet(models.QuerySet["Release"]):
    def standing(self) -> Self:
        """Releases that nobody has withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class Release(models.Model):
    """`seq` comes from catalogue's ReleaseCounter in this row's own transaction.

    An article that is announced again gets a second row; retagging it announces nothing.
    """

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="releases")
    seq = models.BigIntegerField(unique=True)
    released_at = models.DateTimeField(auto_now_add=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    withdrawal_reason = models.CharField(max_length=200, blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["seq"]
