"""Who reaches what of the readers' pages, and that nothing which is sent breaks one."""

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.desk.models import AccessEntry
from signup.models import Subscriber
from tests.desk.reader_with_everything import reader_with_everything
from tests.desk.signing_in import proven
from tests.running.examples import examples

pytestmark = pytest.mark.django_db
SCRIPT = {"x-requested-with": "XMLHttpRequest"}


@pytest.fixture
def scene(desk):
    return reader_with_everything(desk)


# --- Who may ----------------------------------------------------------------------------------

_MAY = {
    "author": set(),
    "reviewer": set(),
    "sender": set(),
    "admin": {"readers", "find_reader", "reader", "access_log", "retention", "form_counts"},
    "protection": {
        *("readers", "find_reader", "reader", "access_log", "retention", "look_at_reader"),
        *("list_by_health", "readers_by_health", "export_reader", "erase_reader"),
        *("form_counts", "breach"),
    },
}


def endpoints(scene):
    number = scene.reader.pk
    reason = {"reason": "Asked by letter"}
    return {
        "readers": ("get", reverse("desk:readers"), {}),
        "find_reader": ("post", reverse("desk:find_reader"), {"who": scene.reader.email}),
        "reader": ("get", reverse("desk:reader", args=(number,)), {}),
        "access_log": ("get", reverse("desk:access_log"), {}),
        "retention": ("get", reverse("desk:retention"), {}),
        "look_at_reader": ("post", reverse("desk:look_at_reader", args=(number,)), reason),
        "list_by_health": (
            "post",
            reverse("desk:list_by_health"),
            {**reason, "condition": scene.condition.pk},
        ),
        "readers_by_health": ("get", reverse("desk:readers_by_health"), {}),
        "export_reader": ("post", reverse("desk:export_reader", args=(number,)), reason),
        "form_counts": ("get", reverse("desk:form_counts"), {}),
        "breach": ("post", reverse("desk:breach"), {**reason, "what": "all"}),
        "erase_reader": (
            "post",
            reverse("desk:erase_reader", args=(number,)),
            {**reason, "number": number},
        ),
    }


@pytest.mark.parametrize("role", list(_MAY))
def test_each_role_reaches_its_own_and_a_refusal_writes_nothing(scene, role):
    client = proven(getattr(scene, role))
    allowed = set()
    for name, (method, url, data) in endpoints(scene).items():
        before = AccessEntry.objects.count()
        answer = getattr(client, method)(url, data, headers=SCRIPT)
        if answer.status_code == 403:
            assert AccessEntry.objects.count() == before
            assert scene.reader.email not in answer.content.decode()
        else:
            assert answer.status_code in (200, 302, 422), name
            allowed.add(name)
    assert allowed == _MAY[role]
    scene.reader.refresh_from_db()
    assert scene.reader.is_erased == (role == "protection")


@pytest.mark.parametrize("role", ["author", "reviewer", "sender", "admin"])
def test_only_data_protection_may_do_what_touches_health(scene, role):
    held = {
        name
        for name in ("view_reader_conditions", "export_reader", "erase_reader")
        if getattr(scene, role).has_perm(f"desk.{name}")
    }
    assert held == set()


def test_a_stranger_is_asked_to_sign_in(scene, client):
    for method, url, data in endpoints(scene).values():
        assert getattr(client, method)(url, data).url.startswith("/admin/login/")
    assert not AccessEntry.objects.exists()


# --- Whatever is sent -------------------------------------------------------------------------

_ANY = st.text(max_size=60) | st.sampled_from(
    ["0", "-1", "9" * 30, "٣", "\x00", "a@b", "null", "'; DROP TABLE x", "<script>", "1e9"]
)
_FIELDS = ("who", "state", "newsletter", "condition", "reason", "number", "before", "after")
_MORE = ("action", "account", "form", "since", "until", "what")


@pytest.mark.once
@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.dictionaries(st.sampled_from([*_FIELDS, *_MORE]), _ANY, max_size=6))
def test_nothing_that_is_sent_breaks_a_page(scene, data):
    client = proven(scene.protection)
    for method, url, _data in endpoints(scene).values():
        sent = dict(data)
        if "erase" in url:
            sent["number"] = "no number"
        answer = getattr(client, method)(url, sent)
        assert answer.status_code < 500, url
    assert not Subscriber.objects.filter(erased_at__isnull=False).exists()


@pytest.mark.parametrize("number", [0, 2**63 - 1, 10**17])
def test_a_reader_who_is_not_there_is_not_found(scene, number):
    client = proven(scene.protection)
    for name in ("reader", "export_reader", "erase_reader"):
        assert client.get(reverse(f"desk:{name}", args=(number,))).status_code == 404
    answer = client.post(
        reverse("desk:look_at_reader", args=(number,)), {"reason": "Asked by letter"}
    )
    assert answer.status_code == 404
    assert not AccessEntry.objects.exists()
