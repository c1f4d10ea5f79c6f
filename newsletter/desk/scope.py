"""Whether what somebody writes refers to what lies beyond their limits."""

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from wagtail.models import ReferenceIndex

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models.limits import limits_of
from newsletter.editions.models import Article, Issue

_LIMITED: tuple[type[Model], ...] = (Newsletter, Condition, Article)


def reaches_beyond(
    content: Issue | Article, before: Issue | Article | None, user: AbstractBaseUser
) -> bool:
    """Whether `content` refers to anything beyond the user's limits that did not stand there
    `before`. What it is, nobody is told: it may be a draft that they must not know of."""
    limits = limits_of(user)
    if not limits:
        return False
    stood = _referred(before) if before is not None else set()
    return any(
        not limits.allow(thing)
        for model, pk in _referred(content) - stood
        for thing in model._default_manager.filter(pk=pk)
    )


def _referred(content: Issue | Article) -> set[tuple[type[Model], int]]:
    limited = {ContentType.objects.get_for_model(model).pk: model for model in _LIMITED}
    return {
        (limited[kind], int(pk))
        for kind, pk, *_where in ReferenceIndex._extract_references_from_object(content)
        if kind in limited
    }
