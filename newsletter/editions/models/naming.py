"""Addresses made from titles."""

from django.db import models
from django.utils.text import slugify

_LONGEST = 112  # of the 120 that a slug may have: room for a number


def slug_for(thing: models.Model) -> str:
    """Return a free slug made of the thing's title; a second one of that title gets -2."""
    manager = type(thing)._default_manager
    base = slugify(str(thing), allow_unicode=False)[:_LONGEST].strip("-")
    base = base or type(thing)._meta.model_name or "page"
    others = manager.exclude(pk=thing.pk)
    slug, number = base, 1
    while others.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug
