"""One press puts the box "Seek emergency care" where preflight misses it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from newsletter.approval.preflight.medicine import referenced_articles
from newsletter.catalogue.models import Condition
from newsletter.desk.access import COMPOSE_ARTICLE, COMPOSE_ISSUE, require_any
from newsletter.desk.addresses import way_url
from newsletter.editions import emergency_box
from newsletter.editions.models import Article, Issue


class AddEmergencyBox(View):
    """A new revision with the box at the top, and on to the box, so that its signs are read."""

    http_method_names = ["post"]
    model: type[Issue] | type[Article] = Issue

    @transaction.atomic
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        user = require_any(request, COMPOSE_ISSUE if self.model is Issue else COMPOSE_ARTICLE)
        # Two who press at once wait for each other, and the second finds it there.
        thing: Issue | Article = get_object_or_404(
            self.model._default_manager.select_for_update(), pk=pk
        )
        lock = thing.get_lock()
        if lock is not None and lock.for_user(user):
            messages.error(request, str(lock.get_message(user)))
            return redirect(way_url(thing))
        draft = thing.get_latest_revision_as_object()
        if any(block.block_type == emergency_box.KIND for block in draft.body):
            messages.info(request, _("The box is there already."))
            return redirect(way_url(thing))
        condition = condition_of(draft)
        block = emergency_box.with_box(draft, condition)
        draft.save_revision(user=user, log_action=True)
        if condition is None:
            messages.warning(request, _("The box is in. Write in the signs that cannot wait."))
        else:
            messages.success(
                request,
                _("The box is in, with the signs of “%(condition)s”. Read them once.")
                % {"condition": condition.name},
            )
        viewset = type(thing).snippet_viewset
        edit_url = reverse(viewset.get_url_name("edit"), args=(thing.pk,))
        return redirect(f"{edit_url}#block-{block}-section")


def condition_of(draft: Issue | Article) -> Condition | None:
    """The first condition with emergency signs that the draft, or an article in it, is about;
    articles that speak of symptoms come first."""
    articles = [draft] if isinstance(draft, Article) else referenced_articles(draft)
    for article in sorted(articles, key=lambda one: not one.concerns_symptoms):
        about: list[Condition] = list(article.conditions.all())
        for condition in about:
            if condition.emergency_sign_list:
                return condition
    return None
