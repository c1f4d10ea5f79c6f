"""One composed edition of an editorial newsletter."""

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    WorkflowMixin,
)

from newsletter.editions.blocks import IssueBody


class Issue(
    WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, PreviewableMixin, ClusterableModel
):
    newsletter = models.ForeignKey(
        "catalogue.Newsletter",
        on_delete=models.PROTECT,
        related_name="issues",
        limit_choices_to={"kind": "editorial"},
        verbose_name=_("newsletter"),
    )
    title = models.CharField(_("title"), max_length=160)
    slug = models.SlugField(_("slug"), unique=True, max_length=120)
    language = models.CharField(_("language"), max_length=10, default="en")
    subject = models.CharField(_("subject"), max_length=120)
    preheader = models.CharField(
        _("preheader"), max_length=140, help_text=_("The line that mail programs show after it.")
    )
    body = StreamField(IssueBody(), verbose_name=_("body"))

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
