"""Where things are at the desk."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model
from django.urls import reverse

from newsletter.catalogue.models import Publisher
from newsletter.desk.models import User
from newsletter.desk.models.limits import limits_of
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


def mending_url(user: AbstractBaseUser | AnonymousUser, thing: Model, field: str) -> str:
    """The form in which `user` may change `field` of `thing`; an article's own page for those who
    may only look at it; else empty."""
    if not isinstance(user, User) or not limits_of(user).allow(thing):
        return ""
    meta = thing._meta
    at = f"#id_{field}-label" if field else ""
    if user.has_perm(f"{meta.app_label}.change_{meta.model_name}"):
        if isinstance(thing, Publisher):
            place = (meta.app_label, meta.model_name, thing.pk)
            return reverse("wagtailsettings:edit", args=place) + at
        viewset: Any = thing.snippet_viewset  # type: ignore[attr-defined]
        return reverse(viewset.get_url_name("edit"), args=(thing.pk,)) + at
    if isinstance(thing, Article) and user.has_perm("editions.view_article"):
        return way_url(thing)
    return ""
