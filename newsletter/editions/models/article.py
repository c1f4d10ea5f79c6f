"""A piece about one or more conditions."""

from typing import Self

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalManyToManyField
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    WorkflowMixin,
)

from newsletter.editions.blocks import ArticleBody
from newsletter.editions.models.naming import slug_for
from newsletter.editions.models.preview import PreviewedMixin


class ArticleQuerySet(models.QuerySet["Article"]):
    def published(self) -> Self:
        """Articles that the public site shows."""
        return self.filter(live=True)


class Article(
    WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, PreviewedMixin, ClusterableModel
):
    class Kind(models.TextChoices):
        RESEARCH = "research", _("Research news")
        TIP = "tip", _("Health tip")
        TOPIC = "topic", _("Current topic")
        EXPERTISE = "expertise", _("Expert view")

    title = models.CharField(_("title"), max_length=160)
    slug = models.SlugField(
        _("slug"), unique=True, max_length=120, blank=True, help_text=_("Empty: from the title.")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.TIP)
    language = models.CharField(_("language"), max_length=10, default="en")
    # A translation shares its original's release: each reader is shown one of them, once.
    translation_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="translations",
        verbose_name=_("translation of"),
        help_text=_(
            "It then goes into digests with the original, to readers of its language. Conditions "
            "and weight are the original's."
        ),
    )
    conditions = ParentalManyToManyField(
        "catalogue.Condition", related_name="articles", verbose_name=_("conditions")
    )
    summary = models.CharField(_("summary"), max_length=400)
    body = StreamField(ArticleBody(), verbose_name=_("body"))
    author_name = models.CharField(_("author"), max_length=120)
    author_credentials = models.CharField(_("author's credentials"), max_length=160)
    reviewer_name = models.CharField(_("medically reviewed by"), max_length=120, blank=True)
    reviewer_credentials = models.CharField(_("reviewer's credentials"), max_length=160, blank=True)
    reviewed_on = models.DateField(_("reviewed on"), null=True, blank=True)
    review_due = models.DateField(_("review due"), null=True, blank=True)
    sources = models.TextField(_("sources"), blank=True, help_text=_("One source a line."))
    concerns_symptoms = models.BooleanField(
        _("speaks of symptoms"),
        default=False,
        help_text=_("A mail that shows it carries the emergency box."),
    )
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

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering = ["-first_published_at", "title"]
        constraints = [
            models.UniqueConstraint(
                fields=["translation_of", "language"],
                condition=models.Q(translation_of__isnull=False),
                name="one_translation_a_language",
                violation_error_message=_("There is a translation into this language already."),
            )
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        super().clean()
        self.slug = self.slug or slug_for(self)
        today = timezone.localdate()
        if self.reviewed_on and self.reviewed_on > today:
            raise ValidationError(
                {"reviewed_on": _("A review cannot have been on a day that is still to come.")}
            )
        if self.reviewed_on and not self.reviewer_name.strip():
            raise ValidationError({"reviewer_name": _("Say who reviewed it on that day.")})
        if self.review_due and self.reviewed_on and self.review_due <= self.reviewed_on:
            raise ValidationError(
                {"review_due": _("The next review is due after the last one, not before.")}
            )
        self._check_translation()

    def _check_translation(self) -> None:
        """A translation is of an original, in another language, and was never in digests itself."""
        original = self.translation_of
        if original is None:
            return
        if original.pk == self.pk or original.translation_of_id is not None:
            problem = _("Choose the original, and not another translation.")
        elif original.language == self.language:
            problem = _("The original is in this language too. Change the language of one.")
        elif self.pk and (self.translations.exists() or self.releases.exists()):
            problem = _("It has translations, or was in digests itself, so it is an original.")
        else:
            return
        raise ValidationError({"translation_of": problem})

    @property
    def is_reviewed(self) -> bool:
        """Did a named person review it, and does that review still hold (standards I1)?"""
        return bool(
            self.reviewer_name.strip()
            and self.reviewed_on
            and self.reviewed_on <= timezone.localdate()
            and not self.is_overdue
        )

    @property
    def is_overdue(self) -> bool:
        return self.review_due is not None and self.review_due < timezone.localdate()

    @property
    def source_list(self) -> list[str]:
        return [line.strip() for line in self.sources.splitlines() if line.strip()]
