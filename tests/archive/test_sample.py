"""What one can see before signing up."""

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.approval.models import Approval
from newsletter.editions.models import Release
from signup.models import Subscriber
from tests.archive import published

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def test_the_sample_of_an_editorial_newsletter_is_its_last_issue(visitor: Client) -> None:
    published.sent_issue("First")
    published.sent_issue("Second")
    page = visitor.get("/sample/").content.decode()
    assert "Subject of Second" in page
    assert "Good night." in visitor.get("/sample/living-well/mail/").content.decode()


def test_the_sample_of_a_digest_is_made_of_approved_articles_only(visitor: Client) -> None:
    disk = published.condition()
    published.newsletter("My conditions", kind="digest")
    published.release(published.article("Approved and released", disk))
    published.article("Never released", disk)
    withdrawn = published.release(published.article("Withdrawn", disk))
    Release.objects.filter(pk=withdrawn.pk).update(withdrawn_at=timezone.now())
    voided = published.article("Approval voided", disk)
    published.release(voided)
    Approval.objects.filter(article=voided).update(voided_at=timezone.now())
    mail = visitor.get("/sample/my-conditions/mail/").content.decode()
    assert "Approved and released" in mail
    assert "Herniated disk" in mail
    for hidden in ("Never released", "Withdrawn", "Approval voided"):
        assert hidden not in mail
    assert "/unsubscribe/" not in mail


def test_looking_at_a_sample_makes_no_reader(visitor: Client) -> None:
    disk = published.condition()
    published.newsletter("My conditions", kind="digest")
    published.release(published.article("One", disk))
    visitor.get("/sample/my-conditions/mail/")
    assert not Subscriber.objects.exists()


def test_one_can_choose_between_newsletters(visitor: Client) -> None:
    published.sent_issue()
    published.newsletter("My conditions", kind="digest")
    published.release(published.article("One", published.condition()))
    page = visitor.get("/sample/", {"newsletter": "my-conditions"}).content.decode()
    assert 'href="?newsletter=living-well"' in page
    assert 'src="/sample/my-conditions/mail/"' in page
    assert "Each reader gets a different one" in page


@pytest.mark.parametrize("asked", ["no-such", "", "\x00", "../..", "x" * 5000])
def test_an_unknown_newsletter_gets_the_first_sample(visitor: Client, asked: str) -> None:
    published.sent_issue()
    response = visitor.get("/sample/", {"newsletter": asked})
    assert response.status_code == 200
    assert 'src="/sample/living-well/mail/"' in response.content.decode()


def test_before_anything_was_sent_the_page_says_so(visitor: Client) -> None:
    published.newsletter()
    response = visitor.get("/sample/")
    assert "We have not sent a mail yet" in response.content.decode()
    assert visitor.get("/sample/living-well/mail/").status_code == 404


def test_a_newsletter_closed_for_sign_up_shows_no_sample(visitor: Client) -> None:
    closed = published.newsletter(open_for_signup=False)
    published.sent_issue(newsletter=closed)
    assert "We have not sent a mail yet" in visitor.get("/sample/").content.decode()
