"""What a newsletter may be called when it is discreet, and whom its readers call."""

import pytest
from django.core.exceptions import ValidationError

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.catalogue.models.terms import condition_named_in
from tests.rendering import samples

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def condition() -> Condition:
    disk = samples.condition()
    disk.synonyms = "slipped disc, prolapse"
    disk.save()
    return disk


def cleaned(**changes: object) -> None:
    samples.newsletter(**changes).full_clean()


@pytest.mark.parametrize(
    "telling",
    [
        {"from_name": "Herniated disk letters"},
        {"from_email": "herniated-disk@news.example.org"},
        {"list_id_label": "slipped-disc"},
    ],
)
@pytest.mark.parametrize("kind", ["discreet", "sensitive"])
def test_a_discreet_newsletter_names_no_condition_where_a_neighbour_reads(
    telling: dict[str, str], kind: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        cleaned(**telling, **{kind: True})
    assert set(refused.value.message_dict) == set(telling)


def test_others_may() -> None:
    cleaned(from_name="Herniated disk letters")


def test_a_part_of_a_word_names_nothing() -> None:
    assert condition_named_in("prolapsed arguments") is None
    assert condition_named_in("A PROLAPSE, and now?") == "prolapse"


@pytest.mark.parametrize(("country", "number"), [("FR", "112"), ("US", "911"), ("", "144")])
def test_its_country_decides_the_number(country: str, number: str) -> None:
    assert Newsletter(country=country).emergency_number("144") == number


@pytest.mark.parametrize(
    ("system", "code"), [("icd10", "M51.1"), ("icd10", "j45"), ("snomed", "73589001"), ("", "")]
)
def test_a_condition_has_a_code_that_its_system_knows_or_none(
    condition: Condition, system: str, code: str
) -> None:
    condition.code_system, condition.code = system, code
    condition.clean()
    assert condition.code == code.upper()


@pytest.mark.parametrize(
    ("system", "code"), [("icd10", "back"), ("snomed", "M51"), ("", "M51"), ("icd10", "")]
)
def test_any_other_code_is_refused(condition: Condition, system: str, code: str) -> None:
    condition.code_system, condition.code = system, code
    with pytest.raises(ValidationError):
        condition.clean()
