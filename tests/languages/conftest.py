"""A catalogue to sign up for, and Spanish as data protection has approved it."""

import pytest
from django.utils import timezone

from signup.models import ConsentText
from tests.signup.conftest import catalogue

__all__ = ["catalogue"]


@pytest.fixture
def spanish(db: None) -> None:
    ConsentText.objects.filter(language="es").update(
        approved_at=timezone.now(), approved_by="Data protection"
    )
