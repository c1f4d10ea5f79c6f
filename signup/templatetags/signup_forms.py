"""The sign-up form as other stations' pages include it."""

from typing import Any

from django import template

from newsletter.catalogue.models import Condition
from signup.forms import ConditionSignUpForm

register = template.Library()


@register.inclusion_tag("signup/_condition_form.html", takes_context=True)
def condition_sign_up_form(context: template.Context, condition: Condition) -> dict[str, Any]:
    """Show the short form for `condition`."""
    return {
        "form": ConditionSignUpForm(condition=condition),
        "publisher": context.get("publisher"),
        "words": context.get("words"),
    }
