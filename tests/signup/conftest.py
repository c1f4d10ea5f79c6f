"""What the tests of signup share: a small catalogue, and readers in every state."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client

from newsletter.catalogue.models import Condition, Newsletter
from newsletter.transports import memory
from signup import subscribe
from signup.address import normalise
from signup.confirm import confirm
from signup.consent import current_texts
from signup.models import ConsentText, SignUp, Subscriber, Subscription, SystemMail

Purpose = ConsentText.Purpose


@dataclass(frozen=True)
class Catalogue:
    living_well: Newsletter
    digest: Newsletter
    disk: Condition
    asthma: Condition


def make_newsletter(slug: str, **values: object) -> Newsletter:
    return Newsletter.objects.create(
        **{
            "name": slug.replace("-", " ").title(),
            "slug": slug,
            "promise": "One mail a week.",
            "from_name": "Wellread",
            "from_email": "news@wellread.example",
            "list_id_label": slug,
            **values,
        }
    )


def make_condition(slug: str, **values: object) -> Condition:
    prose = "<p>Words.</p>"
    return Condition.objects.create(
        **{
            "name": slug.replace("-", " ").capitalize(),
            "slug": slug,
            "group": "Back and joints",
            "summary": "What it is.",
            "overview": prose,
            "symptoms": prose,
            "causes": prose,
            "risk_factors": prose,
            "prevention": prose,
            "when_to_see_a_doctor": prose,
            "emergency_signs": "Numbness",
            **values,
        }
    )


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    return Catalogue(
        living_well=make_newsletter("living-well"),
        digest=make_newsletter("my-conditions", kind=Newsletter.Kind.DIGEST),
        disk=make_condition("herniated-disk"),
        asthma=make_condition("asthma", group="Lungs"),
    )


@pytest.fixture(autouse=True)
def _empty_outbox() -> Iterator[None]:
    memory.outbox.clear()
    yield
    memory.outbox.clear()


@pytest.fixture
def browser_client() -> Client:
    """A client that enforces CSRF, as a browser and a mail program meet it."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def ask(catalogue: Catalogue) -> Callable[..., SystemMail | None]:
    """Sign up as the form does: by default for the newsletter, the digest and one condition."""

    def asked(email: str = "ada@example.org", **changes: object) -> SystemMail | None:
        texts = current_texts("en")
        values: dict[str, object] = {
            "newsletters": [catalogue.living_well],
            "conditions": [catalogue.disk],
            "cadence": Subscription.Cadence.WEEKLY,
            "consent_texts": [texts[Purpose.MAIL], texts[Purpose.HEALTH]],
            "form_url": "https://wellread.example/sign-up/",
            **changes,
        }
        return subscribe.request_sign_up(address=normalise(email), **values)  # type: ignore[arg-type]

    return asked


@pytest.fixture
def reader(ask: Callable[..., SystemMail | None]) -> Subscriber:
    """Ada, who confirmed: the newsletter, the digest, one condition."""
    ask()
    sign_up = SignUp.objects.get(subscriber__email_key="ada@example.org")
    confirm(sign_up=sign_up)
    return Subscriber.objects.get(pk=sign_up.subscriber_id)
