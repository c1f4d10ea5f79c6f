"""A run that breaks off, and a stranger who is there when it goes on."""

from io import StringIO

import pytest
from django.core.management import call_command

from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Article, Issue
from newsletter.management.demo import articles, mailings, population, publications, readers, staff
from newsletter.sending.models import Delivery, Mailing
from signup import consent
from signup.address import normalise
from signup.confirm import confirm
from signup.models import ConsentText, Subscriber, Subscription
from signup.subscribe import request_sign_up

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def _a_few_people(monkeypatch: pytest.MonkeyPatch) -> None:
    few = population.people()[:15]
    for module in (readers, mailings):
        monkeypatch.setattr(module, "people", lambda: few)


def test_a_run_that_broke_off_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mailings.record_as_demo

    def power_cut(mailing: Mailing) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(mailings, "record_as_demo", power_cut)
    with pytest.raises(KeyboardInterrupt):
        call_command("seed_demo", verbosity=0)
    assert Subscriber.objects.count() == 15
    # Nothing half: no plan that a worker would take up, no issue that looks sent.
    assert not Mailing.objects.exists()
    assert not Issue.objects.filter(slug="moving-into-winter").exists()

    monkeypatch.setattr(mailings, "record_as_demo", whole)
    said = StringIO()
    call_command("seed_demo", stdout=said)
    assert "conditions" not in said.getvalue()
    assert Issue.objects.count() == 2
    assert set(Mailing.objects.values_list("state", flat=True)) == {Mailing.State.ENDED}
    assert consent.verify() == []


def test_what_an_editor_changed_is_left_alone() -> None:
    call_command("seed_demo", verbosity=0)
    article = Article.objects.get(slug="a-plate-you-can-picture")
    Article.objects.filter(pk=article.pk).update(title="Our own title")
    staff.person("author").delete()
    call_command("seed_demo", verbosity=0)
    article.refresh_from_db()
    assert article.title == "Our own title"
    assert Article.objects.count() == 20


def test_a_real_reader_gets_what_the_demo_would_only_have_recorded() -> None:
    for step in (
        staff.make,
        publications.make_publisher,
        publications.make_newsletters,
        publications.make_conditions,
        articles.make,
        readers.make,
    ):
        step()
    mail = request_sign_up(
        address=normalise("somebody@hospital.example"),
        newsletters=[Newsletter.objects.get(slug="living-well")],
        conditions=[],
        cadence=Subscription.Cadence.WEEKLY,
        consent_texts=[consent.current_texts("en")[ConsentText.Purpose.MAIL]],
    )
    assert mail is not None and mail.sign_up is not None
    confirm(sign_up=mail.sign_up)
    mailings.make_issues()
    mailing = Mailing.objects.get(kind=Mailing.Kind.ISSUE)
    assert mailing.state == Mailing.State.SENDING
    assert set(Delivery.objects.filter(mailing=mailing).values_list("state", flat=True)) == {
        Delivery.State.QUEUED
    }


def test_a_draft_that_somebody_wrote_waits_for_a_person() -> None:
    """The demo approves what was shipped, once; never what a person is still writing."""
    from signup.consent import texts

    mail = ConsentText.Purpose.MAIL
    texts.write_draft(purpose=mail, language="es", wording="Mis palabras.", by="somebody")
    call_command("seed_demo", verbosity=0)
    assert ConsentText.objects.drafts().get().wording == "Mis palabras."
    assert consent.languages_offered() == ["en"]
