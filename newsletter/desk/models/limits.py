"""What a member of staff is limited to, and whether something lies within it.

A limit of newsletters is about issues, mailings and the newsletters themselves; a limit of
conditions about articles and conditions. An article lies within a limit when it is about at least
one of its conditions and about nothing else: who answers for asthma does not sign what is also
about something they do not answer for.
"""

from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet

from newsletter.approval.models import Approval
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.desk.models.scope import Scope
from newsletter.desk.models.user import User
from newsletter.editions.models import Article, DraftLink, Issue, IssueTemplate
from newsletter.sending.models import Mailing

M = TypeVar("M", bound=Model)
_KNOWN = "_desk_limits"


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers of newsletters and conditions; None is no limit."""

    newsletters: frozenset[int] | None = None
    conditions: frozenset[int] | None = None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.newsletters is not None or self.conditions is not None

    def among(self, rows: "QuerySet[M]") -> "QuerySet[M]":
        """Narrow a query of one of the models named here; others pass as they are."""
        if self.newsletters is not None:
            if rows.model is Newsletter:
                return rows.filter(pk__in=self.newsletters)
            if rows.model in (Issue, IssueTemplate, Mailing):
                return rows.filter(newsletter__in=self.newsletters)
        if self.conditions is not None:
            if rows.model is Condition:
                return rows.filter(pk__in=self.conditions)
            if rows.model is Article:
                about = Article.conditions.through.objects
                return rows.filter(
                    pk__in=about.filter(condition__in=self.conditions).values("article")
                ).exclude(pk__in=about.exclude(condition__in=self.conditions).values("article"))
        return rows

    def allow(self, thing: Model) -> bool:
        """Whether this one row lies within the limits, as published and as last drafted."""
        if isinstance(thing, Approval | DraftLink):
            about = thing.issue or thing.article
            assert about is not None  # one of them, by constraint
            return self.allow(about)
        if self.newsletters is not None:
            if isinstance(thing, Newsletter):
                return thing.pk in self.newsletters
            if isinstance(thing, Issue | IssueTemplate | Mailing):
                return _newsletters_of(thing) <= self.newsletters
        if self.conditions is not None:
            if isinstance(thing, Condition):
                return thing.pk in self.conditions
            if isinstance(thing, Article):
                return all(bool(about) and about <= self.conditions for about in _about(thing))
        return True


def limits_of(user: AbstractBaseUser | AnonymousUser) -> Limits:
    """Read once for each `user` object, which is once a request. Superusers have none."""
    known: Limits | None = getattr(user, _KNOWN, None)
    if known is None:
        known = _read(user)
        setattr(user, _KNOWN, known)
    return known


def _read(user: AbstractBaseUser | AnonymousUser) -> Limits:
    if not isinstance(user, User) or user.is_superuser:
        return Limits()
    scope = Scope.objects.filter(user=user).first()
    if scope is None:
        return Limits()
    return Limits(
        frozenset(scope.newsletters.values_list("pk", flat=True))
        if scope.limits_newsletters
        else None,
        frozenset(scope.conditions.values_list("pk", flat=True))
        if scope.limits_conditions
        else None,
    )


def limit(
    user: User, *, newsletters: "QuerySet[Newsletter]", conditions: "QuerySet[Condition]"
) -> None:
    """Set the limits; an empty choice lifts that one."""
    scope, _created = Scope.objects.update_or_create(
        user=user,
        defaults={
            "limits_newsletters": bool(newsletters),
            "limits_conditions": bool(conditions),
        },
    )
    scope.newsletters.set(newsletters)
    scope.conditions.set(conditions)
    user.__dict__.pop(_KNOWN, None)


def _newsletters_of(thing: Issue | IssueTemplate | Mailing) -> set[int]:
    found = {thing.newsletter_id}
    if isinstance(thing, Issue) and thing.latest_revision is not None:
        found.add(thing.latest_revision.content["newsletter"])
    return found


def _about(article: Article) -> list[set[int]]:
    rows = Article.conditions.through.objects.filter(article=article.pk)
    found = [set(rows.values_list("condition", flat=True))]
    if article.latest_revision is not None:
        found.append({int(pk) for pk in article.latest_revision.content["conditions"]})
    return found
