"""Addresses made from titles."""

from django.db import models
from django.utils.text import slugify

_LONGEST = 112  # of the 120 that a slug may have: room for a number


def slug_of(title: str) -> str:
    """Return what a title makes of itself; "" if that is nothing."""
    return slugify(title, allow_unicode=False)[:_LONGEST].strip("-")


def slug_for(thing: models.Model, title: str = "") -> str:
    """Return a free slug made of a title, or the thing's own; a second one of it gets -2."""
    manager = type(thing)._default_manager
    base = slug_of(title or str(thing)) or type(thing)._meta.model_name or "page"
    others = manager.exclude(pk=thing.pk)
    slug, number = base, 1
    while others.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug
