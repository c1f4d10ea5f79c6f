"""One feed: how it is, what it brought, and what to do about it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from newsletter.desk.access import require_any
from newsletter.desk.addresses import way_url
from newsletter.desk.feeds.notices import CHANGE
from newsletter.desk.feeds.words import health_of
from newsletter.desk.frame import frame
from newsletter.desk.queue import hand_over
from newsletter.editions.feeds import fetch as fetching
from newsletter.editions.feeds import take
from newsletter.editions.models import Feed, FeedItem
from newsletter.tasks import fetch_feed

PER_PAGE = 30
State = FeedItem.State


@require_safe
def feed_page(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, CHANGE)
    feed = get_object_or_404(Feed, pk=pk)
    wanted = request.GET.get("state")
    state = wanted if wanted in (*State.values, "changed") else ""
    items = feed.items.select_related("article").defer("content")
    if state == "changed":
        items = items.filter(changed_at__isnull=False)
    elif state:
        items = items.filter(state=state)
    page = Paginator(items, PER_PAGE).get_page(request.GET.get("p"))
    return TemplateResponse(
        request,
        "desk/feeds/feed.html",
        {
            "feed": feed,
            "health": health_of(feed),
            "conditions": feed.conditions.all(),
            "rules": feed.rules.select_related("condition"),
            "page": page,
            "rows": [(item, way_url(item.article) if item.article else "") for item in page],
            "state": state,
            "tabs": _tabs(feed, state),
            "edit_url": _url("edit", feed.pk),
            **frame(feed.name, icon="download", between=[(_("Feeds"), _url("list"))]),
        },
    )


@require_POST
def fetch_now(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, CHANGE)
    feed = get_object_or_404(Feed, pk=pk)
    if not feed.enabled:
        messages.error(request, _("It is switched off. Switch it on first."))
        return redirect("desk:feed", pk)
    fetching.ask_for(feed)
    hand_over(fetch_feed, feed.pk)
    messages.success(request, _("Asked for. Look again in a moment."))
    return redirect("desk:feed", pk)


@require_POST
def item_action(request: HttpRequest, pk: int) -> HttpResponse:
    """Draft it all the same, set it aside, or say that its change was seen."""
    require_any(request, CHANGE)
    item = get_object_or_404(FeedItem.objects.select_related("feed"), pk=pk)
    deed = request.POST.get("deed")
    if deed == "draft":
        if item.state == State.DRAFTED:
            messages.error(request, _("There is a draft of it already."))
        else:
            article = take.draft(item)
            messages.success(request, _("Drafted: “%(title)s”.") % {"title": article.title})
    elif deed == "set_aside":
        FeedItem.objects.filter(pk=pk).exclude(state=State.DRAFTED).update(state=State.SET_ASIDE)
    elif deed == "seen":
        FeedItem.objects.filter(pk=pk).update(changed_at=None)
    return redirect("desk:feed", item.feed_id)


def after_save(request: HttpRequest, instance: Any) -> None:
    """A new feed, or one whose rules changed, need not wait for its next time."""
    if isinstance(instance, Feed) and instance.enabled:
        fetching.ask_for(instance)
        hand_over(fetch_feed, instance.pk)


def _tabs(feed: Feed, state: str) -> list[dict[str, Any]]:
    found: list[str] = list(feed.items.order_by().values_list("state", flat=True).distinct())
    tabs = [("", _("All"))]
    tabs += [(each.value, str(each.label)) for each in State if each.value in found]
    if changed := feed.items.filter(changed_at__isnull=False).count():
        words = ngettext("%(n)d changed at its source", "%(n)d changed at their source", changed)
        tabs.append(("changed", words % {"n": changed}))
    return [{"key": key, "label": label, "here": key == state} for key, label in tabs]


def _url(name: str, *args: int) -> str:
    viewset = Feed.snippet_viewset  # type: ignore[attr-defined]  # given by Wagtail
    return reverse(viewset.get_url_name(name), args=args)
