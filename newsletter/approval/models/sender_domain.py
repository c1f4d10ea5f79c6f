"""What the DNS said last about a domain that newsletters come from."""

from django.db import models


class SenderDomain(models.Model):
    domain = models.CharField(max_length=253, unique=True)
    checked_at = models.DateTimeField()
    # [{"level": "bad", "about": "SPF", "message": "…", "record": "name TXT value"}, …]
    findings = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
