"""One reader × one mailing, and the batches in which workers claim them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.sending.models.mailing import Edition, Mailing
from newsletter.sending.models.wave import Wave


class Batch(models.Model):
    """The unit that a worker claims: some hundreds of deliveries of one mailing."""

    class State(models.TextChoices):
        READY = "ready", _("ready")
        CLAIMED = "claimed", _("claimed")
        DONE = "done", _("done")

    TRANSITIONS = {
        # ready → done: nothing in it is to be sent any more, because the mailing was cancelled.
        State.READY: frozenset({State.CLAIMED, State.DONE}),
        # claimed → ready: released by its worker, or taken back when the lease ran out.
        State.CLAIMED: frozenset({State.READY, State.DONE}),
        # What is to be tried again moves to a new batch; a done one stays done.
        State.DONE: frozenset[str](),
    }

    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, related_name="batches")
    state = models.CharField(max_length=10, choices=State, default=State.READY)
    not_before = models.DateTimeField(null=True)
    # The end of today's hours, where the mailing goes out between certain hours only: nothing of
    # it is handed over from then on, and the feeder puts it off until they open again.
    not_after = models.DateTimeField(null=True)
    # Whose turn it is with it, where readers' own clocks decide.
    wave = models.ForeignKey(
        Wave, null=True, on_delete=models.CASCADE, related_name="batches", db_index=False
    )
    # A hint that expires: when the feeder last gave the id to the broker.
    fed_at = models.DateTimeField(null=True)
    # Raised by each claim; every later write says WHERE epoch = mine (fencing).
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=120, blank=True)
    # The recipient domain of all its rows, where that one is mailed more slowly (sending.brakes).
    domain = models.CharField(max_length=253, blank=True)
    # Rows whose place is below this may have been handed to the relay.
    handed_upto = models.PositiveIntegerField(default=0)
    # planned = accepted + refused + skipped + unknown + open, at every moment (invariant 5).
    planned = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)

    class Meta:
        # By id as well, so that the next one to be claimed is found without sorting the others.
        indexes = [models.Index(fields=["mailing", "state", "id"], name="sending_batch_next")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["ready", "claimed", "done"]),
                name="batch_state_is_known",
            ),
            # What is left over is open, and never less than nothing (invariant 5).
            models.CheckConstraint(
                condition=models.Q(
                    planned__gte=models.F("accepted")
                    + models.F("refused")
                    + models.F("skipped")
                    + models.F("unknown")
                ),
                name="batch_counts_fit",
            ),
        ]

    def may_become(self, state: str) -> bool:
        return state in self.TRANSITIONS[self.State(self.state)]


class Delivery(models.Model):
    """No foreign key points here, so that the table can be partitioned by mailing."""

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        SKIPPED = "skipped", _("skipped")
        UNKNOWN = "unknown", _("unknown")

    class SkipReason(models.TextChoices):
        NOT_LIVE = "not_live", _("no longer subscribed")
        NO_CONSENT = "no_consent", _("no consent")
        SUPPRESSED = "suppressed", _("must not be mailed")
        PAUSED = "paused", _("paused")
        CANCELLED = "cancelled", _("the mailing was cancelled")
        NOTHING_LEFT = "nothing_left", _("its articles were withdrawn")
        ERASED = "erased", _("erased")
        NOT_TOLD = "not_told", _("not told yet where the address came from")

    TRANSITIONS = {
        # Handed to the relay is what is queued, in a claimed batch, in front of `handed_upto`:
        # a row is written once, when its outcome is known. queued → queued: a temporary refusal.
        # queued → unknown also when it was to be sent once more, and then the reader left or the
        # mailing was cancelled. Whether the first copy arrived is what nobody knows.
        State.QUEUED: frozenset(
            {State.QUEUED, State.ACCEPTED, State.REFUSED, State.SKIPPED, State.UNKNOWN}
        ),
        State.ACCEPTED: frozenset[str](),
        State.REFUSED: frozenset[str](),
        State.SKIPPED: frozenset[str](),
        # unknown → queued: sent once more; unknown → accepted: a late proof.
        State.UNKNOWN: frozenset({State.QUEUED, State.ACCEPTED}),
    }

    # Only the indexes that the hot path needs, and none that names `state`: PostgreSQL updates a
    # row in place (HOT) as long as no indexed column changes and its page has room. The database
    # does not check the first three keys, which would take half the time of planning: one statement
    # writes them, with a mailing that it has locked and a batch and an edition of that mailing.
    mailing = models.ForeignKey(
        Mailing,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False
    )
    edition = models.ForeignKey(
        Edition, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    subscriber = models.ForeignKey(
        "signup.Subscriber", on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    # The row's place in its batch, which is the order of sending.
    place = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    skip_reason = models.CharField(max_length=20, choices=SkipReason, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    # An unknown is sent again at most once (invariant 7).
    resent = models.BooleanField(default=False)
    # When to try again: a queued one after a temporary refusal, an unknown one once more.
    retry_at = models.DateTimeField(null=True)
    outcome_at = models.DateTimeField(null=True)
    # What the relay said, `550 5.1.1 text` (transports.values.read_line takes it apart).
    reply = models.CharField(max_length=300, blank=True)
    # A digest's own: which articles, and which stretch of the release sequence.
    article_ids = models.JSONField(null=True)
    from_seq = models.BigIntegerField(null=True)
    to_seq = models.BigIntegerField(null=True)
    # How many more articles were owed than one mail shows; null when none.
    more = models.PositiveIntegerField(null=True)
    # How many articles its copy said came out during the reader's pause; null when it said nothing.
    # Written as the copy is handed over, for a second one.
    away = models.PositiveIntegerField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["mailing", "subscriber"], name="one_delivery_per_reader"
            )
        ]
        indexes = [
            models.Index(
                fields=["retry_at"],
                name="delivery_retry",
                condition=models.Q(retry_at__isnull=False),
            )
        ]

    def may_become(self, state: str) -> bool:
        return state in self.TRANSITIONS[self.State(self.state)]
