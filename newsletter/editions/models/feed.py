"""Where articles come from elsewhere: a feed, its rules, and each thing that stood in it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey, ParentalManyToManyField

from newsletter.editions.models.article import Article

if TYPE_CHECKING:
    # Modelcluster is untyped: to the checker a model made of it would have no manager.
    from django.db.models import Model as ClusterableModel
else:
    from modelcluster.models import ClusterableModel


class FeedQuerySet(models.QuerySet["Feed"]):
    def due(self, now: datetime) -> Self:
        """Those whose next fetch has come, and that nobody fetches at this moment."""
        return self.filter(
            Q(claimed_until__isnull=True) | Q(claimed_until__lt=now),
            enabled=True,
            next_fetch_at__lte=now,
        )

    def dead(self) -> Self:
        """Those that have not answered for so long that somebody should look."""
        gone = Q(trouble=Feed.Trouble.GONE)
        silent = Q(failures__gte=DEAD_AFTER_TRIES, failing_since__lte=timezone.now() - DEAD_AFTER)
        return self.filter(gone | silent, enabled=True)


# A feed is dead when this many fetches in a row failed over this long: a night without a network
# is no death.
DEAD_AFTER_TRIES = 4
DEAD_AFTER = timedelta(days=2)


class Feed(ClusterableModel):
    class Every(models.IntegerChoices):
        HOUR = 1, _("every hour")
        SIX_HOURS = 6, _("every six hours")
        DAY = 24, _("once a day")
        WEEK = 168, _("once a week")

    class Take(models.TextChoices):
        TEXT = "text", _("the whole text, as the feed carries it")
        SUMMARY = "summary", _("the summary and a link only")

    class Trouble(models.TextChoices):
        UNREACHABLE = "unreachable", _("It does not answer")
        REFUSED = "refused", _("It answers with an error")
        GONE = "gone", _("It is no longer there")
        FORBIDDEN = "forbidden", _("Its address is not of the open web")
        TOO_LARGE = "too_large", _("It is too large")
        NOT_A_FEED = "not_a_feed", _("That is no feed")
        BROKEN = "broken", _("It is broken")

    name = models.CharField(_("name"), max_length=100)
    url = models.URLField(
        _("address"),
        max_length=500,
        unique=True,
        help_text=_("Of the feed itself: RSS, Atom or JSON Feed."),
    )
    enabled = models.BooleanField(_("fetch it"), default=True)
    every_hours = models.PositiveSmallIntegerField(
        _("how often"), choices=Every, default=Every.SIX_HOURS
    )
    take = models.CharField(
        _("what to take"),
        max_length=8,
        choices=Take,
        default=Take.SUMMARY,
        help_text=_("Take whole texts only where their owner has agreed to it."),
    )
    kind = models.CharField(
        _("kind of article"), max_length=12, choices=Article.Kind, default=Article.Kind.RESEARCH
    )
    language = models.CharField(_("language"), max_length=10, default="en")
    author_name = models.CharField(
        _("author"),
        max_length=120,
        help_text=_("Stands in the draft where the feed names nobody."),
    )
    author_credentials = models.CharField(_("author's credentials"), max_length=160)
    conditions = ParentalManyToManyField(
        "catalogue.Condition",
        blank=True,
        related_name="+",
        verbose_name=_("always about"),
        help_text=_("Every draft from this feed gets these."),
    )
    only_matching = models.BooleanField(
        _("only what fits a condition"),
        default=True,
        help_text=_("What no condition and no rule fits is noted on the feed's page, not drafted."),
    )

    # What servers are asked with next time. Kept for the address that gave them.
    fetched_url = models.CharField(max_length=500, blank=True, editable=False)
    etag = models.CharField(max_length=400, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    moved_to = models.CharField(max_length=2_000, blank=True, editable=False)

    next_fetch_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    epoch = models.PositiveIntegerField(default=0, editable=False)
    tried_at = models.DateTimeField(null=True, editable=False)
    # The last fetch that went well, and the last one that brought something new.
    fetched_at = models.DateTimeField(null=True, editable=False)
    brought_at = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    trouble = models.CharField(max_length=12, choices=Trouble, blank=True, editable=False)
    # In words for staff: of the trouble, or of what was odd about a fetch that went well.
    detail = models.CharField(max_length=400, blank=True, editable=False)
    # When staff were told that it is dead; empty again once it lives.
    told_at = models.DateTimeField(null=True, editable=False)

    objects = FeedQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("feed")
        indexes = [models.Index(fields=["next_fetch_at"], name="feed_next_fetch")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not self.url.startswith(("http://", "https://")):
            raise ValidationError({"url": _("Begin the address with https://.")})

    @property
    def every(self) -> timedelta:
        return timedelta(hours=self.every_hours)

    @property
    def is_dead(self) -> bool:
        """Has it not answered for so long that somebody should look? See FeedQuerySet.dead."""
        if not self.enabled or not self.failing_since:
            return False
        return self.trouble == self.Trouble.GONE or (
            self.failures >= DEAD_AFTER_TRIES and self.failing_since <= timezone.now() - DEAD_AFTER
        )


class FeedRule(models.Model):
    """Any of these words, in a category or anywhere, means this condition."""

    class Where(models.TextChoices):
        CATEGORY = "category", _("as a category")
        TITLE = "title", _("in the title")
        ANYWHERE = "anywhere", _("in title or text")

    feed = ParentalKey(Feed, on_delete=models.CASCADE, related_name="rules")
    where = models.CharField(_("where"), max_length=10, choices=Where, default=Where.ANYWHERE)
    words = models.CharField(
        _("words"), max_length=400, help_text=_("Separated by commas. Whole words; * ends a stem.")
    )
    condition = models.ForeignKey("catalogue.Condition", on_delete=models.CASCADE, related_name="+")
    sort_order = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["sort_order", "pk"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.words} → {self.condition}"

    def clean(self) -> None:
        super().clean()
        if not self.word_list:
            raise ValidationError({"words": _("Write at least one word.")})

    @property
    def word_list(self) -> list[str]:
        # A lone * would fit everything.
        return [word.strip() for word in self.words.split(",") if word.strip().strip("*")]


class FeedItem(models.Model):
    """One thing that stood in a feed. The row stays, so that it is taken once."""

    class State(models.TextChoices):
        DRAFTED = "drafted", _("Drafted")
        # Known from another feed, or under another name in this one.
        DOUBLE = "double", _("Known already")
        UNMATCHED = "unmatched", _("Fits no condition")
        # It was there when the feed was added, behind the newest ones.
        OLDER = "older", _("Older")
        SET_ASIDE = "set_aside", _("Set aside")

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="items")
    # SHA-256 each: of the name that the feed gives it, of its address without what changes from
    # reader to reader, of its words.
    guid_hash = models.BinaryField(max_length=32)
    url_hash = models.BinaryField(max_length=32, null=True)
    content_hash = models.BinaryField(max_length=32)
    state = models.CharField(max_length=10, choices=State)
    title = models.CharField(max_length=300)
    url = models.CharField(max_length=2_000, blank=True)
    published_at = models.DateTimeField(null=True)
    found_at = models.DateTimeField(auto_now_add=True)
    # The source has changed its words since we took them.
    changed_at = models.DateTimeField(null=True)
    # Sanitised, of what is not drafted yet: {"summary", "html", "author", "categories"}.
    content = models.JSONField(default=dict)
    article = models.ForeignKey(
        Article, null=True, on_delete=models.SET_NULL, related_name="feed_items"
    )

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["feed", "guid_hash"], name="feed_item_once"),
            models.UniqueConstraint(
                fields=["url_hash"], condition=~Q(state="double"), name="feed_item_page_once"
            ),
        ]
        indexes = [
            models.Index(fields=["url_hash"], name="feed_item_url"),
            models.Index(fields=["content_hash"], name="feed_item_content"),
            models.Index(fields=["feed", "state"], name="feed_item_state"),
        ]

    def __str__(self) -> str:
        return self.title
