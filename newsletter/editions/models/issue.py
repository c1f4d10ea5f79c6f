"""One composed edition of an editorial newsletter."""

from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Revision,
    RevisionMixin,
    WorkflowMixin,
)

from newsletter.editions import merge_tags
from newsletter.editions.blocks import IssueBody
from newsletter.editions.models.naming import slug_for
from newsletter.editions.models.preview import PreviewedMixin

one_line = RegexValidator(r"^[^\r\n\x00]*\Z", _("Write it on one line."))


class Issue(
    WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, PreviewedMixin, ClusterableModel
):
    newsletter = models.ForeignKey(
        "catalogue.Newsletter",
        on_delete=models.PROTECT,
        related_name="issues",
        limit_choices_to={"kind": "editorial"},
        verbose_name=_("newsletter"),
    )
    title = models.CharField(_("title"), max_length=160)
    slug = models.SlugField(
        _("slug"), unique=True, max_length=120, blank=True, help_text=_("Empty: from the title.")
    )
    language = models.CharField(_("language"), max_length=10, default="en")
    subject = models.CharField(_("subject"), max_length=120, validators=[one_line])
    preheader = models.CharField(
        _("preheader"),
        max_length=140,
        validators=[one_line],
        help_text=_("The line that mail programs show after the subject."),
    )
    greeting = models.CharField(
        _("greeting"),
        max_length=120,
        blank=True,
        default="Hello {first_name|there},",
        validators=[one_line, merge_tags.known_tags_only],
        help_text=_("{first_name|there} is the reader's first name, or “there” without one."),
    )
    body = StreamField(IssueBody(), verbose_name=_("body"))
    # "Newest articles" are those that were there when the issue was last saved. So what a reviewer
    # reads is what goes out, and an article that comes later does not void the approval.
    newest_until = models.DateTimeField(null=True, editable=False)

    # A correction is an issue of its own, which goes to those who had what it corrects. One
    # correction for each issue: what is wrong with a correction is corrected by the next.
    corrects = models.OneToOneField(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="correction"
    )

    revisions = GenericRelation(
        "wagtailcore.Revision",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="issue",
        for_concrete_model=False,
    )
    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="issue",
        for_concrete_model=False,
    )

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title

    def save_revision(self, *args: Any, **kwargs: Any) -> Revision:
        self.newest_until = timezone.now()
        revision: Revision = super().save_revision(*args, **kwargs)
        return revision

    @property
    def is_correction(self) -> bool:
        return self.corrects_id is not None

    def line(self) -> "list[Issue]":
        """What this issue corrects, the newest first, down to the original; empty for others."""
        found: list[Issue] = []
        earlier = self.corrects
        while earlier is not None:
            found.append(earlier)
            earlier = earlier.corrects
        return found

    @property
    def has_parts_for_followers(self) -> bool:
        """Do some readers get a part because of what they follow?"""
        return any(block["type"] == "only_for" for block in self.body.raw_data)

    @property
    def is_health_data(self) -> bool:
        """True when a copy tells of its reader's health (invariant 11)."""
        return (
            self.newsletter.is_digest or self.newsletter.sensitive or self.has_parts_for_followers
        )

    def clean(self) -> None:
        super().clean()
        self.slug = self.slug or slug_for(self)
        if self.newsletter_id and self.newsletter.is_digest:
            raise ValidationError(
                {
                    "newsletter": _(
                        "“%(name)s” is assembled for each reader. Choose an editorial newsletter, "
                        "or release an article to its readers instead."
                    )
                    % {"name": self.newsletter.name}
                }
            )
