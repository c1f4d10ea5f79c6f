"""A reader of whom there is something to tell on every page of the desk."""

from types import SimpleNamespace

from django.utils import timezone

from signup.models import ConsentSubject, Follow, Subscription, SystemMail
from tests.desk import world


def reader_with_everything(desk: SimpleNamespace) -> SimpleNamespace:
    """One reader with a health consent, a condition, a mail and a sensitive newsletter."""
    subscription = world.reader(desk.newsletter)
    reader = subscription.subscriber
    entry = subscription.consent
    ConsentSubject.objects.filter(subscriber=reader).update(
        head_seq=entry.seq, head_hash=entry.entry_hash
    )
    reader.health_consent = entry
    reader.save()
    desk.condition = world.condition()
    Follow.objects.create(subscriber=reader, condition=desk.condition)
    desk.hiv = world.newsletter(
        name="Living with HIV", slug="hiv", list_id_label="hiv", sensitive=True
    )
    Subscription.objects.create(subscriber=reader, newsletter=desk.hiv)
    SystemMail.objects.create(
        subscriber=reader, kind="confirm", state="accepted", expires_at=timezone.now()
    )
    desk.reader = reader
    return desk
