"""Who looked at a reader's health data, or took it out, or erased it: an append-only log."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AccessEntry(models.Model):
    """One deed of one member of staff. Written by newsletter.desk.access_log only.

    Nothing in it leads to a row that may go: accounts are deleted and readers erased, and the log
    outlives both. It holds no address; triggers refuse any change (migration 0011).
    """

    class Action(models.TextChoices):
        CONDITIONS_SEEN = "conditions_seen", _("looked at what a reader follows")
        LISTED = "listed", _("listed readers by condition")
        EXPORTED = "exported", _("exported a reader's data")
        ERASED = "erased", _("erased a reader")
        PROOF_SEEN = "proof_seen", _("took out the proof of consent")
        BREACH_ASKED = "breach_asked", _("asked whom a breach touches")
        BREACH_LISTED = "breach_listed", _("listed whom a breach touches")
        IMPORTED = "imported", _("imported readers")
        MAIL_SEEN = "mail_seen", _("looked at a mail as a reader gets it")
        FACTOR_RESET = "factor_reset", _("took a second factor off an account")

    action = models.CharField(_("what"), max_length=20, choices=Action)
    actor_id = models.BigIntegerField()
    # As the account was called then.
    actor_name = models.CharField(_("who"), max_length=150)
    # The reader's row number; null where it was about none, or about many.
    subscriber_id = models.BigIntegerField(null=True)
    # What a list was made of, whose account it was.
    detail = models.CharField(max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=300)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("access to reader data")
        default_permissions = ()
        permissions = [
            ("view_access_log", _("Can see who looked at readers' data")),
            ("view_readers", _("Can see readers and their subscriptions")),
            ("view_reader_conditions", _("Can see which conditions a reader follows")),
            ("export_reader", _("Can export everything about a reader")),
            ("erase_reader", _("Can erase a reader")),
            ("import_readers", _("Can bring readers in from a file")),
        ]
        indexes = [
            models.Index(fields=["subscriber_id", "id"], name="access_by_reader"),
            models.Index(fields=["actor_id", "id"], name="access_by_actor"),
            models.Index(fields=["action", "id"], name="access_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action}"
