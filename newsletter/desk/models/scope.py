"""The newsletters and conditions that a member of staff is limited to."""

from django.conf import settings
from django.db import models


class Scope(models.Model):
    """No row, or nothing chosen, is no limit: a small team works on everything.

    Asked through desk.models.limits only. It narrows what the groups allow and never widens it.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="scope"
    )
    # PROTECT by hand would be lost on a many-to-many: a newsletter that goes must not turn a
    # limit into none. So the fact that there is a limit stands in a column of its own.
    limits_newsletters = models.BooleanField(default=False)
    limits_conditions = models.BooleanField(default=False)
    newsletters = models.ManyToManyField("catalogue.Newsletter", related_name="+")
    conditions = models.ManyToManyField("catalogue.Condition", related_name="+")

    class Meta:
        default_permissions = ()
