"""Where a finding is mended that this form cannot mend."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from newsletter.approval.preflight import Finding
from newsletter.desk.addresses import mending_url

register = template.Library()

_WORDS = {
    "article": lambda: _("Open the article"),
    "newsletter": lambda: _("Open the newsletter's settings"),
    "publisher": lambda: _("Open the publisher's details"),
}


@register.inclusion_tag("desk/includes/elsewhere.html", takes_context=True)
def mend_elsewhere(context: Any, finding: Finding) -> dict[str, Any]:
    """A link to the form that it is mended in, for those who may change what stands there."""
    thing = finding.elsewhere
    if thing is None:
        return {}
    url = mending_url(context["request"].user, thing, finding.field)
    words = _WORDS[thing._meta.model_name or ""]() if url else ""
    return {"url": url, "words": words, "message": finding.message}
