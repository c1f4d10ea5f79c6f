"""Where things are at the desk."""

from django.urls import reverse

from newsletter.editions.models import Article, Issue


def way_url(thing: Issue | Article) -> str:
    """The page on which it goes its way."""
    return reverse("desk:issue" if isinstance(thing, Issue) else "desk:article", args=(thing.pk,))


def reading_url(thing: Issue | Article) -> str:
    """The page on which a reviewer reads it and decides."""
    name = "desk:read_issue" if isinstance(thing, Issue) else "desk:read_article"
    return reverse(name, args=(thing.pk,))


def box_url(thing: Issue | Article) -> str:
    """Where one press puts the box "Seek emergency care" into it."""
    name = "desk:add_box_to_issue" if isinstance(thing, Issue) else "desk:add_box_to_article"
    return reverse(name, args=(thing.pk,))
