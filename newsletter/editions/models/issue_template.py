"""A saved beginning for issues of one newsletter: the parts that are the same every time."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.fields import StreamField

from newsletter.editions.blocks import IssueBody
from newsletter.editions.models.issue import one_line


class IssueTemplate(models.Model):
    """Nothing of it was approved: what is made from it goes the whole way."""

    name = models.CharField(_("name"), max_length=80, validators=[one_line])
    newsletter = models.ForeignKey(
        "catalogue.Newsletter", on_delete=models.CASCADE, related_name="issue_templates"
    )
    language = models.CharField(max_length=10, default="en")
    subject = models.CharField(max_length=120, blank=True)
    preheader = models.CharField(max_length=140, blank=True)
    greeting = models.CharField(max_length=120, blank=True)
    body = StreamField(IssueBody(), blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["newsletter", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "name"], name="one_template_of_a_name_per_newsletter"
            )
        ]

    def __str__(self) -> str:
        return self.name
