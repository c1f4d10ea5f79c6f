"""A piece about one or more conditions."""

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalManyToManyField
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    PreviewableMixin,
    RevisionMixin,
    WorkflowMixin,
)

from newsletter.editions.blocks import ArticleBody


class Article(
    WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, PreviewableMixin, ClusterableModel
):
    class Kind(models.TextChoices):
        RESEARCH = "research", _("Research news")
        TIP = "tip", _("Health tip")
        TOPIC = "topic", _("Current topic")
        EXPERTISE = "expertise", _("Expert view")

    title = models.CharField(_("title"), max_length=160)
    slug = models.SlugField(_("slug"), unique=True, max_length=120)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TIP)
    language = models.CharField(_("language"), max_length=10, default="en")
    conditions = ParentalManyToManyField(
        "catalogue.Condition", related_name="articles", verbose_name=_("conditions")
    )
    summary = models.CharField(_("summary"), max_length=400)
    body = StreamField(ArticleBody(), verbose_name=_("body"))
    author_name = models.CharField(_("author"), max_length=120)
    author_credentials = models.CharField(_("author's credentials"), max_length=160)
    reviewer_name = models.CharField(_("medically reviewed by"), max_length=120, blank=True)
    reviewer_credentials = models.CharField(
        _("reviewer's credentials"), max_length=160, blank=True
    )
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    review_due = models.DateField(_("review due"), null=True, blank=True)
    sources = models.TextField(_("sources"), blank=True, help_text=_("One source a line."))
    artwork = models.CharField(
        _("artwork"), max_length=60, blank=True, help_text=_("Name of a drawing in static/art/.")
    )
    # Larger is more relevant among articles of one condition.
    weight = models.SmallIntegerField(_("weight"), default=0)

    revisions = GenericRelation(
        "wagtailcore.Revision",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="article",
        for_concrete_model=False,
    )
    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="article",
        for_concrete_model=False,
    )

    class Meta:
        ordering = ["-first_published_at", "title"]

    def __str__(self) -> str:
        return self.title
