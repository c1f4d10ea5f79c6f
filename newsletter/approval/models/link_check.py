"""What came back when a link in a draft was tried. Preflight reads these rows and never waits."""

from django.db import models


class LinkCheck(models.Model):
    class Verdict(models.TextChoices):
        FINE = "fine", "it answers"
        # 401, 403, 429: something is there and does not talk to programs.
        GUARDED = "guarded", "it answers people only"
        GONE = "gone", "there is no such page"
        SILENT = "silent", "nobody answered, or with an error of the server"
        FORBIDDEN = "forbidden", "it leads into a private network, or by no way we go"

    # SHA-256 of the address: addresses are longer than an index likes.
    url_hash = models.BinaryField(max_length=32, unique=True)
    url = models.TextField()
    wanted_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["wanted_at"], name="link_check_wanted")]
