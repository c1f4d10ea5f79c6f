"""Every address of the desk, and one of everything for it to show."""

import re
from datetime import timedelta
from types import SimpleNamespace

from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLPattern
from django.utils import timezone
from wagtail.models import TaskState

from newsletter.approval.models import Schedule
from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import DraftLink
from newsletter.sending.models import Mailing
from tests.desk import world


def one_of_everything(
    desk: SimpleNamespace, letter: Newsletter, condition: Condition, word: str
) -> SimpleNamespace:
    """An article and issues at every stage, each with `word` in its name."""
    article = world.article(desk.author, title=f"{word} article", summary=f"{word} summary.")
    article.conditions.set([condition])
    article.save()
    article.save_revision(user=desk.author)
    waiting = world.issue(letter, desk.author, title=f"{word} waiting", subject=f"{word} one")
    waiting.get_workflow().start(waiting, desk.author)
    sent = world.issue(letter, desk.author, title=f"{word} sent", subject=f"{word} two")
    approval = world.approve(sent, desk.reviewer)
    mailing = Mailing.objects.create(
        kind="issue",
        newsletter=letter,
        issue=sent,
        approval=approval,
        state="sending",
        dated=timezone.now(),
    )
    ready = world.issue(letter, desk.author, title=f"{word} ready", subject=f"{word} three")
    schedule = Schedule.objects.create(
        approval=world.approve(ready, desk.reviewer),
        send_at=timezone.now() + timedelta(days=2),
        scheduled_by=desk.sender,
    )
    draft = world.issue(letter, desk.author, title=f"{word} draft", subject=f"{word} four")
    link = DraftLink.objects.create(
        issue=draft, purpose="x", created_by=desk.author, expires_at=DraftLink.end_of(7)
    )
    return SimpleNamespace(
        letter=letter,
        condition=condition,
        article=article,
        waiting=waiting,
        sent=sent,
        approval=approval,
        mailing=mailing,
        ready=ready,
        schedule=schedule,
        draft=draft,
        link=link,
    )


def desk_patterns(resolver=None, names=(), route=""):
    """Every address under /admin/ by name and route."""
    for pattern in (resolver or get_resolver()).url_patterns:
        whole = route + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            inner = (*names, pattern.namespace) if pattern.namespace else names
            yield from desk_patterns(pattern, inner, whole)
        elif whole.startswith("admin/") and pattern.name:
            yield ":".join((*names, pattern.name)), whole, pattern


def arguments(name, route, thing):
    """Values of the outside world for one address's arguments; None where none fit."""
    behind = {
        "admin/issues/": thing.draft,
        "admin/articles/": thing.article,
        "admin/conditions/": thing.condition,
        "admin/newsletters/": thing.letter,
        "admin/mailings/": thing.mailing,
        "admin/^mailings/": thing.mailing,
        "admin/sign-offs/": thing.approval,
        "admin/looks/links/": thing.link,
        "admin/looks/": thing.draft,
        "admin/preview/": thing.draft,
        "admin/snippets/choose/editions/issue": thing.draft,
        "admin/snippets/choose/editions/article": thing.article,
        "admin/snippets/choose/catalogue/condition": thing.condition,
        "admin/snippets/choose/catalogue/newsletter": thing.letter,
    }
    found = next((one for start, one in behind.items() if route.startswith(start)), None)
    if name.endswith("read_issue"):
        found = thing.waiting
    revision = getattr(found, "latest_revision_id", None) or 1
    state = TaskState.objects.order_by("-pk").first()
    return {
        "pk": found.pk if found else 1,
        "kind": "article" if found is thing.article else "issue",
        "form": "html",
        "lever": "cancel",
        "revision_id": revision,
        "revision_id_a": revision,
        "revision_id_b": revision,
        "action_name": "approve",
        "task_state_id": state.pk if state else 1,
        "task_id": state.task_id if state else 1,
        "workflow_state_id": state.workflow_state_id if state else 1,
        "app_label": "editions",
        "model_name": "issue",
        "object_id": thing.draft.pk,
        "session_id": 1,
        "action": "delete",
        "reader": "with-name",
        "newsletter": thing.letter.pk,
        "language": "en",
        "purpose": "mail",
    }


def arguments_of(route):
    return set(re.findall(r"<(?:\w+:)?(\w+)>", route))


def every_address(thing):
    for name, route, _pattern in desk_patterns():
        wanted = arguments_of(route)
        given = arguments(name, route, thing)
        if wanted <= set(given):
            try:
                yield name, reverse(name, kwargs={key: given[key] for key in wanted})
            except NoReverseMatch:
                # A second pattern of the same name, with other arguments.
                continue
