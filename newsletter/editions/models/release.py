"""An article's entry into the digests."""

from django.db import models

from newsletter.editions.models.article import Article


class Release(models.Model):
    """`seq` comes from catalogue's ReleaseCounter in this row's own transaction.

    An article that is announced again gets a second row; retagging it announces nothing.
    """

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="releases")
    seq = models.BigIntegerField(unique=True)
    released_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["seq"]
