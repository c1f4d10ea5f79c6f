"""Conditions as readers meet them."""

import pytest
from django.utils import timezone

from newsletter.catalogue.models import Condition


def test_emergency_signs_are_read_line_by_line() -> None:
    condition = Condition(emergency_signs="Numb between the legs\r\n\n  Legs get weaker  \n")
    assert condition.emergency_sign_list == ["Numb between the legs", "Legs get weaker"]


@pytest.mark.django_db
def test_a_retired_condition_can_no_longer_be_followed() -> None:
    Condition.objects.create(name="Gout", slug="gout", group="Joints")
    Condition.objects.create(name="Old", slug="old", group="Joints", retired_at=timezone.now())
    assert [condition.slug for condition in Condition.objects.open()] == ["gout"]
