"""Every public page in every state that an address can lead to, by name.

What is needed behind the doors (readers who wait, read, left, were erased) is made by the verbs.
"""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.editions.models import Article, Issue
from newsletter.sending import recall
from project.urls import urlpatterns as real_urlpatterns
from signup import relocate, subscribe, tokens, unsubscribe
from signup.address import normalise
from signup.confirm import confirm
from signup.consent import current_texts, renewal
from signup.models import (
    AddressChange,
    ConsentEntry,
    ConsentText,
    EmbedForm,
    Renewal,
    RenewalQuestion,
    SignUp,
    Subscriber,
    Subscription,
)
from signup.privacy.erase import erase
from tests.archive import published
from tests.journeys import presses

Purpose = tokens.Purpose
FOUR_DAYS = timedelta(days=4)


# --- Pages that say that something went wrong ----------------------------------------------------


def _raise(error: type[Exception]) -> object:
    def view(_request: HttpRequest) -> HttpResponse:
        raise error("asked for by a test")

    return view


def _doors_that_fail() -> list[object]:
    from django.core.exceptions import PermissionDenied, SuspiciousOperation
    from django.shortcuts import render

    return [
        path("fails/400/", _raise(SuspiciousOperation)),  # type: ignore[arg-type]
        path("fails/403/", _raise(PermissionDenied)),  # type: ignore[arg-type]
        path("fails/404/", _raise(Http404)),  # type: ignore[arg-type]
        path("fails/500/", _raise(RuntimeError)),  # type: ignore[arg-type]
        *(
            path(f"fails/{name}/", lambda request, name=name: render(request, f"{name}.html"))
            for name in ("403_csrf", "429")
        ),
        path("pressed/<str:name>/", presses.pressed),
    ]


urlpatterns = [*_doors_that_fail(), *real_urlpatterns]
"""With ROOT_URLCONF set to this module, each error page has an address."""

FAILING = {
    "error-400": "/fails/400/",
    "error-403": "/fails/403/",
    "error-403-csrf": "/fails/403_csrf/",
    "error-404": "/nowhere/",
    "error-429": "/fails/429/",
    "error-500": "/fails/500/",
}


# --- Pages for everybody -------------------------------------------------------------------------


def open_doors() -> dict[str, str]:
    condition = Condition.objects.open().order_by("pk")[0].slug
    article = Article.objects.filter(live=True, releases__isnull=False).latest("pk").slug
    issue = Issue.objects.filter(live=True).latest("pk").slug
    return {
        "home": "/",
        "conditions": "/conditions/",
        "conditions-found": "/conditions/?q=disk",
        "conditions-nothing": "/conditions/?q=zzzz",
        "condition": f"/conditions/{condition}/",
        "article": f"/articles/{article}/",
        "issues": "/issues/",
        "issue": f"/issues/{issue}/",
        "sample": "/sample/",
        "sign-up": "/sign-up/",
        "sign-up-found": "/sign-up/?q=knee",
        "sign-up-nothing": "/sign-up/?q=zzzz",
        "sign-up-for": f"/sign-up/for/{condition}/",
        "check-inbox": "/sign-up/check-your-inbox/",
        "preferences-request": "/preferences/",
        "preferences-mailed": "/preferences/link-mailed/",
        "privacy": "/privacy/",
        "goodbye-plain": "/goodbye/",
        "erased": "/erased/",
        "withdrawn": "/withdrawn/",
        "kept": "/kept/",
    }


def mended_doors() -> dict[str, str]:
    """What was wrong and went out: with its correction's notice, or taken back."""
    corrected = published.sent_issue("Painkillers")
    notice = {
        "was_wrong": "We wrote ten tablets a day.",
        "is_right": "Eight at most.",
        "to_do": "Ask a pharmacist if you took more.",
    }
    correction = published.draft_issue(
        "Correction: Painkillers",
        corrects=corrected,
        newsletter=corrected.newsletter,
        body=[("correction", notice), ("rich_text", "<p>The right dose.</p>")],
    )
    published.mailing_of(correction, started_at=published.LAST_WEEK + timedelta(days=2))
    gone = published.sent_issue("A dose that harms")
    article = published.article("Twice the dose")
    why, by = "It named a dose that can harm.", published.user()
    recall.recall_issue(issue=gone, by=by, reason=why)
    recall.recall_article(article=article, by=by, reason=why)
    return {
        "issue-corrected": f"/issues/{corrected.slug}/",
        "issue-of-a-correction": f"/issues/{correction.slug}/",
        "issue-recalled": f"/issues/{gone.slug}/",
        "article-recalled": f"/articles/{article.slug}/",
    }


# --- Pages behind a token ------------------------------------------------------------------------


class Readers:
    """Readers by name, each asked and taken as far as a page needs."""

    def __init__(self) -> None:
        self.condition = Condition.objects.open().order_by("pk")[0]
        self.editorial = Newsletter.objects.filter(kind=Newsletter.Kind.EDITORIAL)[0]

    def ask(self, name: str) -> SignUp:
        texts = current_texts("en")
        subscribe.request_sign_up(
            address=normalise(f"{name}@rooms.example.org"),
            newsletters=[self.editorial, *subscribe.digest_newsletters()],
            conditions=[self.condition],
            cadence=Subscription.Cadence.WEEKLY,
            consent_texts=[texts[ConsentText.Purpose.MAIL], texts[ConsentText.Purpose.HEALTH]],
            form_url=f"{settings.BASE_URL}/sign-up/",
        )
        return SignUp.objects.filter(subscriber__email_key=f"{name}@rooms.example.org").latest("pk")

    def live(self, name: str) -> tuple[Subscriber, SignUp, Subscription]:
        sign_up = self.ask(name)
        confirm(sign_up=sign_up)
        reader = Subscriber.objects.get(pk=sign_up.subscriber_id)
        mine = Subscription.objects.get(subscriber=reader, newsletter=self.editorial)
        return reader, sign_up, mine


def pressed_doors() -> dict[str, str]:
    """What a press leads to, with readers of its own: some of these pages change them."""
    readers = Readers()
    ada, _sign_up, _mine = readers.live("ada-presses")
    fay, _sign_up, _mine = readers.live("fay")
    _gus, _sign_up, _mine = readers.live("gus")
    adding = readers.ask("gus")
    Subscription.objects.filter(subscriber=_gus).update(live_at=timezone.now() - FOUR_DAYS)
    _hal, _sign_up, his = readers.live("hal")
    over = unsubscribe.end(
        subscription=his,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    places = {
        "taken": _asked_to_move(ada, "gus@rooms.example.org"),
        "moving": _asked_to_move(fay, "fay@rooms-new.example.org"),
        "adding": _to(
            "confirm",
            tokens.make(Purpose.CONFIRM, adding.pk, at=timezone.now() - timedelta(hours=1)),
        ),
        "undo": _to("undo", over.undo_token),
    }
    embed = _embedded(readers)["embedded"].removeprefix("/en")
    fresh = _to("preferences", tokens.make(Purpose.PREFERENCES, ada.pk))
    return presses.hang(
        presses.of_the_forms(embed, readers.editorial.slug) | presses.of_a_reader(fresh, places)
    )


def _asked_to_move(reader: Subscriber, address: str) -> str:
    relocate.ask(subscriber=reader, address=normalise(address))
    change = AddressChange.objects.latest("pk")
    return _to("new_address", tokens.make(Purpose.ADDRESS, change.pk))


def _to(name: str, token: str) -> str:
    return reverse(f"signup:{name}", args=[token])


def closed_doors() -> dict[str, str]:
    readers, long_ago = Readers(), timezone.now() - FOUR_DAYS
    ada, confirmed, mine = readers.live("ada")
    fresh = tokens.make(Purpose.PREFERENCES, ada.pk)
    leaving = tokens.unsubscribe_token(mine.pk)
    waiting = readers.ask("bob")
    erased_reader, erased_sign_up, _gone = readers.live("eve")
    erase(subscriber=erased_reader, method=ConsentEntry.Method.PREFERENCES, source="a test")
    return {
        "confirm": _to("confirm", tokens.make(Purpose.CONFIRM, waiting.pk)),
        "confirm-expired": _to("confirm", tokens.make(Purpose.CONFIRM, waiting.pk, at=long_ago)),
        "confirm-used": _to("confirm", tokens.make(Purpose.CONFIRM, confirmed.pk)),
        "confirm-gone": _to("confirm", tokens.make(Purpose.CONFIRM, erased_sign_up.pk)),
        "confirm-damaged": "/confirm/damaged/",
        "confirm-foreign": _to("confirm", leaving),
        "welcome": _to("welcome", fresh),
        "preferences": _to("preferences", fresh),
        "preferences-saved": _to("preferences", fresh) + "?saved=1",
        "preferences-health-first": _to("preferences", fresh) + "?first=health#consents",
        "preferences-expired": _to(
            "preferences", tokens.make(Purpose.PREFERENCES, ada.pk, at=long_ago)
        ),
        "preferences-damaged": "/preferences/damaged/",
        "record": _to("my_record", fresh),
        "export": _to("export", fresh),
        "change-address": _to("change_address", fresh),
        "erase": _to("erase", fresh),
        "unsubscribe": _to("unsubscribe", leaving),
        "unsubscribe-damaged": "/unsubscribe/damaged/",
        "unsubscribe-foreign": _to("unsubscribe", fresh),
        "withdraw": _to("withdraw", tokens.withdraw_token(mine.pk)),
        "withdraw-damaged": "/withdraw/damaged/",
        **_leaving(readers),
        **_moving(ada, long_ago),
        **_keeping(mine),
        **_embedded(readers),
    }


def _leaving(readers: Readers) -> dict[str, str]:
    _cleo, _sign_up, ended = readers.live("cleo")
    over = unsubscribe.end(
        subscription=ended,
        reason=Subscription.EndedReason.UNSUBSCRIBED,
        method=ConsentEntry.Method.LINK,
    )
    secret = Subscription.objects.live().get(subscriber=_cleo)
    return {
        "unsubscribe-already": _to("unsubscribe", tokens.unsubscribe_token(ended.pk)),
        "unsubscribe-sensitive": _to("unsubscribe", tokens.unsubscribe_token(secret.pk)),
        "goodbye": _to("goodbye", over.undo_token),
        "goodbye-thanks": _to("goodbye", over.undo_token) + "?thanks=1",
        "undo": _to("undo", over.undo_token),
    }


def _moving(ada: Subscriber, long_ago: object) -> dict[str, str]:
    relocate.ask(subscriber=ada, address=normalise("ada@rooms-new.example.org"))
    change = AddressChange.objects.latest("pk")
    return {
        "new-address": _to("new_address", tokens.make(Purpose.ADDRESS, change.pk)),
        "new-address-expired": _to(
            "new_address",
            tokens.make(Purpose.ADDRESS, change.pk, at=long_ago),  # type: ignore[arg-type]
        ),
        "new-address-damaged": "/new-address/damaged/",
    }


def _keeping(mine: Subscription) -> dict[str, str]:
    campaign = Renewal.objects.filter(newsletter=mine.newsletter).first() or renewal.begin(
        newsletter=mine.newsletter,
        answer_by=timezone.now() + timedelta(days=14),
        reason="Three years without a mail.",
        by="a test",
    )
    texts = current_texts("en")
    question, _new = RenewalQuestion.objects.get_or_create(
        renewal=campaign,
        subscription=mine,
        defaults={"text": texts[ConsentText.Purpose.MAIL]},
    )
    late = Subscription.objects.filter(state=Subscription.State.ENDED).latest("pk")
    too_late, _new = RenewalQuestion.objects.get_or_create(
        renewal=campaign,
        subscription=late,
        defaults={"text": texts[ConsentText.Purpose.MAIL]},
    )
    return {
        "keep": _to("keep", tokens.make(Purpose.RENEW, question.pk)),
        "keep-too-late": _to("keep", tokens.make(Purpose.RENEW, too_late.pk)),
        "keep-damaged": "/keep/damaged/",
    }


def _embedded(readers: Readers) -> dict[str, str]:
    forms = []
    for is_open in (True, False):
        form = EmbedForm.objects.create(name="On another site", is_open=is_open)
        form.newsletters.add(readers.editorial)
        form.conditions.add(readers.condition)
        forms.append(form.public_id)
    return {
        "embedded": reverse("signup:embedded", args=[forms[0]]),
        "embedded-closed": reverse("signup:embedded", args=[forms[1]]),
    }
