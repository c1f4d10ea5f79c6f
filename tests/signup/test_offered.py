"""What a process remembers of the catalogue for a second, and what it must not remember."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from newsletter.catalogue.models import Publisher
from signup import offered
from signup.consent import current_texts
from signup.embed.offer import offer_of
from tests.signup.conftest import Catalogue
from tests.signup.embedding import make_form
from tests.signup.filling_in import CHECK_INBOX, filled_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A second's memory as in production, and a clock that moves when it is told to."""
    now = [1_000_000.0]
    monkeypatch.setattr(offered, "SECONDS", 1.0)
    monkeypatch.setattr(offered.time, "monotonic", lambda: now[0])

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


def test_within_a_second_nothing_is_read_twice(
    clock: Callable[[float], None],
    catalogue: Catalogue,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = tuple(text.pk for text in current_texts("en").values())

    def read() -> None:
        assert offered.newsletters()
        assert len(offered.conditions(["asthma", "herniated-disk"])) == 2
        assert len(offered.texts(ids)) == 3
        assert offered.publisher_name()

    with django_assert_num_queries(4):
        read()
        clock(0.9)
        read()


def test_what_a_form_elsewhere_offers_is_read_once_a_second_and_never_for_another_form(
    clock: Callable[[float], None], catalogue: Catalogue
) -> None:
    """Else each sign-up from a page with hundreds of conditions would read them all."""
    form, other = make_form(catalogue.disk), make_form(catalogue.living_well)
    assert [one.slug for one in offer_of(form, remembered=True).conditions] == ["herniated-disk"]
    form.conditions.clear()
    assert offer_of(form, remembered=True).conditions
    assert not offer_of(form).conditions  # a page that is shown reads anew
    assert not offer_of(other, remembered=True).conditions
    clock(1.1)
    assert not offer_of(form, remembered=True).conditions


def test_what_was_lately_asked_for_is_read_anew_together(
    clock: Callable[[float], None],
    catalogue: Catalogue,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Else a flood over forty conditions would ask forty times a second."""
    offered.conditions(["asthma"])
    clock(0.5)
    offered.conditions(["herniated-disk"])
    clock(0.7)
    with django_assert_num_queries(1):
        assert offered.conditions(["asthma"]) == [catalogue.asthma]
        clock(0.9)
        assert offered.conditions(["herniated-disk"]) == [catalogue.disk]


def test_what_nobody_asked_for_lately_is_not_read_along(
    clock: Callable[[float], None],
    catalogue: Catalogue,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    offered.conditions(["asthma"])
    clock(60)
    offered.conditions(["herniated-disk"])
    with django_assert_num_queries(1):
        assert offered.conditions(["asthma"]) == [catalogue.asthma]


def test_after_a_second_a_newsletter_that_closed_is_closed(
    clock: Callable[[float], None], catalogue: Catalogue, client: Client
) -> None:
    assert client.post("/sign-up/", filled_in())["Location"] == CHECK_INBOX
    type(catalogue.living_well).objects.update(open_for_signup=False)
    clock(1.1)
    assert client.post("/sign-up/", filled_in("grace@example.org")).status_code == 422


def test_after_a_second_a_condition_that_was_retired_cannot_be_followed(
    clock: Callable[[float], None], catalogue: Catalogue
) -> None:
    assert offered.conditions(["asthma"]) == [catalogue.asthma]
    catalogue.asthma.retired_at = timezone.now()
    catalogue.asthma.save()
    clock(1.1)
    assert offered.conditions(["asthma"]) == []


def test_after_a_second_the_publisher_has_its_new_name(clock: Callable[[float], None]) -> None:
    assert offered.publisher_name() == "Wellread"
    Publisher.objects.create(name="Clinic on the Hill")
    clock(1.1)
    assert offered.publisher_name() == "Clinic on the Hill"


def test_what_does_not_exist_is_not_remembered(
    clock: Callable[[float], None],
    catalogue: Catalogue,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Whoever posts made-up names fills no memory."""
    for number in range(3):
        with django_assert_num_queries(1):
            assert offered.conditions([f"made-up-{number}"]) == []
    assert len(offered._conditions) == 0


def test_the_memory_has_an_end(clock: Callable[[float], None], catalogue: Catalogue) -> None:
    for number in range(offered.AT_MOST + 5):
        offered._texts.put((number,), (), read_at=0.0)
    assert len(offered._texts) <= offered.AT_MOST


def test_a_page_that_is_shown_reads_anew(
    clock: Callable[[float], None], catalogue: Catalogue, client: Client
) -> None:
    client.post("/sign-up/", filled_in())
    type(catalogue.living_well).objects.update(name="Called anew")
    assert "Called anew" in client.get("/sign-up/").content.decode()
