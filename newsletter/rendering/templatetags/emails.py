"""Filters of the plain-text templates in templates/emails/."""

from django import template

from newsletter.rendering import plain

register = template.Library()

register.filter("wrapped", plain.wrapped)
register.filter("bullet", plain.bullet)
register.filter("underlined", plain.underlined)
register.filter("centred", plain.centred)


@register.filter
def times(character: str, count: int) -> str:
    return character * count
