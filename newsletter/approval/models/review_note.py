"""What a reviewer asks to be changed, block by block."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class ReviewNoteQuerySet(models.QuerySet["ReviewNote"]):
    def open(self) -> Self:
        """Notes on what has not been approved since."""
        return self.filter(settled_at__isnull=True)


class ReviewNote(models.Model):
    issue = models.ForeignKey(
        "editions.Issue", null=True, on_delete=models.CASCADE, related_name="review_notes"
    )
    article = models.ForeignKey(
        "editions.Article", null=True, on_delete=models.CASCADE, related_name="review_notes"
    )
    # What was read; a revision of a draft may be cleared away, the note stays.
    revision = models.ForeignKey(
        "wagtailcore.Revision", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # The block's own id, which stays when it is moved; empty for a note about the whole.
    block = models.CharField(max_length=40, blank=True)
    # What the block was called and began with, for when it is gone.
    about = models.CharField(max_length=120, blank=True)
    note = models.TextField(max_length=2000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    objects = ReviewNoteQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(issue__isnull=False, article__isnull=True)
                | Q(issue__isnull=True, article__isnull=False),
                name="review_note_on_one_thing",
            )
        ]
