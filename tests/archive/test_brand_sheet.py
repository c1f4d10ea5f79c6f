"""A publisher's own colour on the public pages."""

import pytest
from django.test import Client

from newsletter.catalogue.models import Publisher

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def test_our_own_green_needs_no_further_sheet(visitor: Client) -> None:
    Publisher.objects.create(name="Clinic")
    assert "brand.css" not in visitor.get("/").content.decode()


def test_a_publishers_colour_replaces_the_green(visitor: Client) -> None:
    Publisher.objects.create(name="Clinic", brand_colour="#7A1F5C")
    assert 'href="/brand.css?v=7A1F5C"' in visitor.get("/").content.decode()
    response = visitor.get("/brand.css")
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert "--brand:#7A1F5C" in response.content.decode()
    assert "prefers-color-scheme:dark" in response.content.decode()


@pytest.mark.parametrize("colour", ["#FFD23F", "#FFFFFF"])
def test_a_colour_that_came_in_unchecked_and_cannot_be_read_is_left_out(
    visitor: Client, colour: str
) -> None:
    Publisher.objects.create(name="Clinic", brand_colour=colour)
    assert "--brand:#0F5C5C" in visitor.get("/brand.css").content.decode()
