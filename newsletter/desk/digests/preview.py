"""Digests looked at before anybody gets them: as a made-up reader, or as the next run."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.archive import webview
from newsletter.catalogue.models import Newsletter
from newsletter.desk.access import APPROVE, COMPOSE_ARTICLE, SEND, VIEW_MAILING, require_any
from newsletter.desk.digests.forms import ProfileForm, WhenForm
from newsletter.desk.digests.frame import FEWEST_SHOWN, header
from newsletter.desk.models import ReaderProfile
from newsletter.editions.models import Article
from newsletter.rendering.digest_body import NothingLeft
from newsletter.sending.digest_preview import (
    MadeUp,
    articles_for,
    copy_for,
    look_ahead,
    sample_copy,
)
from newsletter.sending.models import Delivery

READERS = (COMPOSE_ARTICLE, APPROVE, SEND, VIEW_MAILING)


@require_http_methods(["GET", "HEAD", "POST"])
def profiles(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The made-up readers, the one that is looked at, and the form that makes or changes one."""
    require_any(request, *READERS)
    profile = get_object_or_404(ReaderProfile, pk=pk) if pk else None
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=profile)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("Saved."))
        return redirect("desk:profile", saved.pk)
    at = _moment(request)
    shown = articles_for(_made_up(profile), at) if profile and not form.errors else []
    between = [(_("Preview"), reverse("desk:profiles"))]
    return TemplateResponse(
        request,
        "desk/digests/profiles.html",
        {
            "profiles": ReaderProfile.objects.all(),
            "profile": profile,
            "form": form,
            "at": at,
            "when": WhenForm(initial={"at": timezone.localtime(at)}),
            "articles": _in_order(shown),
            "mails": _mails(profile, at) if profile and shown else [],
            **(header(profile.name, between) if profile else header(_("Preview"))),
        },
        status=422 if form.errors else 200,
    )


@require_POST
def drop_profile(request: HttpRequest, pk: int) -> HttpResponse:
    require_any(request, *READERS)
    get_object_or_404(ReaderProfile, pk=pk).delete()
    messages.success(request, _("Deleted."))
    return redirect("desk:profiles")


@xframe_options_sameorigin
@require_safe
def profile_mail(request: HttpRequest, pk: int, newsletter: int) -> HttpResponse:
    """The mail itself, for its frame."""
    require_any(request, *READERS)
    reader = _made_up(get_object_or_404(ReaderProfile, pk=pk))
    digest = get_object_or_404(Newsletter, pk=newsletter, kind=Newsletter.Kind.DIGEST)
    at = _moment(request)
    try:
        whole = copy_for(digest, reader, articles_for(reader, at), at)
    except NothingLeft:
        return HttpResponse(_("Nothing to show."), content_type="text/plain")
    if reader.text_only:
        return HttpResponse(webview.text_of(whole), content_type="text/plain; charset=utf-8")
    return HttpResponse(webview.page_of(whole))


@never_cache
@require_safe
def dry_run(request: HttpRequest) -> HttpResponse:
    """What the next run would do, in numbers. Nothing is written."""
    require_any(request, SEND, VIEW_MAILING)
    labels = dict(Delivery.SkipReason.choices)
    looks = []
    for newsletter in Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).order_by("name"):
        run = look_ahead(newsletter, timezone.now())
        rows = []
        if run is not None:
            rows = [
                (_("get a mail"), _shown(run.mails)),
                (_("have nothing new"), _shown(run.nothing_new)),
                *((str(labels[reason]), _shown(n)) for reason, n in sorted(run.excluded.items())),
            ]
        looks.append(
            {
                "newsletter": newsletter,
                "run": run,
                "due": _shown(run.due) if run else "",
                "looked_at": _shown(run.looked_at) if run else "",
                "rows": rows,
                "sizes": [(size, _shown(n)) for size, n in run.sizes.items()] if run else [],
            }
        )
    return TemplateResponse(
        request, "desk/digests/dry_run.html", {"looks": looks, **header(_("Next run"))}
    )


@xframe_options_sameorigin
@require_safe
def dry_run_sample(request: HttpRequest, newsletter: int) -> HttpResponse:
    """A digest that at least ten readers would get."""
    require_any(request, SEND, VIEW_MAILING)
    digest = get_object_or_404(Newsletter, pk=newsletter, kind=Newsletter.Kind.DIGEST)
    run = look_ahead(digest, timezone.now())
    if run is None or run.sample is None:
        return HttpResponse(_("Nothing to show."), content_type="text/plain")
    return HttpResponse(webview.page_of(sample_copy(digest, run.sample, run.at)))


def _mails(profile: ReaderProfile, at: datetime) -> list[dict[str, Any]]:
    query = urlencode({"at": timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")})
    return [
        {
            "newsletter": newsletter,
            "url": f"{reverse('desk:profile_mail', args=(profile.pk, newsletter.pk))}?{query}",
        }
        for newsletter in Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).order_by("name")
    ]


def _shown(number: int) -> str:
    if 0 < number < FEWEST_SHOWN:
        return _("fewer than ten")
    return f"{number:,}"


def _moment(request: HttpRequest) -> datetime:
    form = WhenForm(request.GET)
    return (form.is_valid() and form.cleaned_data["at"]) or timezone.now()


def _made_up(profile: ReaderProfile) -> MadeUp:
    return MadeUp(
        conditions=frozenset(profile.conditions.values_list("pk", flat=True)),
        language=profile.language,
        timezone=profile.timezone,
        cadence=profile.cadence,
        weekday=profile.weekday,
        hour=profile.hour,
        text_only=profile.text_only,
        is_new=profile.is_new,
    )


def _in_order(articles: list[int]) -> list[Article]:
    found = Article.objects.in_bulk(articles)
    return [found[pk] for pk in articles if pk in found]
