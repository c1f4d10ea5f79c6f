"""Safety alerts and translations in readers' lives: what later digests leave out, and what they
show instead."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from newsletter.catalogue.models import Newsletter
from newsletter.editions.models import Article as ArticleRow
from newsletter.editions.models import Release as ReleaseRow
from newsletter.sending import plan
from newsletter.sending.alert_readers import alert_readers
from newsletter.sending.models import Delivery, Edition, Mailing, SafetyAlert
from signup.models import Subscriber, Subscription
from tests.digests import factories
from tests.digests.plain_model import Alert, Model, Reader

OUTCOMES = ("accepted", "unknown", "refused", "skipped")


class Alerting(ABC):
    """What a World does with alerts and translations."""

    now: datetime
    model: Model
    newsletter: Newsletter
    # (mailing, language) → article → which version of it copies show.
    _shown: dict[tuple[int, str], dict[int, int]]

    @abstractmethod
    def _article(self, number: int) -> ArticleRow | None: ...

    @abstractmethod
    def _row(self, reader: Reader) -> Subscription: ...

    @abstractmethod
    def _reader(self, who: int) -> tuple[Subscription, Reader]: ...

    @abstractmethod
    def _frozen(self) -> AbstractContextManager[None]: ...

    def alerts_in_pauses(self, who: int) -> None:
        row, reader = self._reader(who)
        reader.alerts_in_pauses = not reader.alerts_in_pauses
        Subscriber.objects.filter(pk=row.subscriber_id).update(
            alerts_while_paused=reader.alerts_in_pauses
        )

    def alert(self, number: int, outcome: int) -> None:
        """An article goes out as a safety alert, under two signatures, and one reader after the
        other is reached or not."""
        row = self._article(number)
        if row is None or not row.live or row.pk in self.model.alerts:
            return
        with self._frozen():
            mark, first, second = (factories.UserFactory() for _ in range(3))
            if not ReleaseRow.objects.standing().filter(article=row).exists():
                factories.release_row(row)
                self.model.release(row.pk, self.now)
            alert = SafetyAlert.objects.create(
                article=row,
                kind=SafetyAlert.Kind.RECALL,
                advice="Stop taking it.",
                marked_by=mark,
                first_by=first,
                second_by=second,
                sent_at=self.now,
            )
            concerned = {
                self._row(self.model.readers[one]).subscriber_id: one
                for one in self.model.alert(row.pk, self.now)
            }
            self.model.alerts[row.pk] = Alert(self.now, frozenset())
            mailing = Mailing.objects.create(
                kind=Mailing.Kind.ALERT,
                newsletter=self.newsletter,
                alert=alert,
                purpose=f"alert {alert.pk}",
                dated=self.now.replace(microsecond=0),
            )
            Edition.objects.create(mailing=mailing, language="en")
            assert set(alert_readers(mailing).values_list("subscriber_id", flat=True)) == set(
                concerned
            )
            if not concerned:
                mailing.delete()
                return
            plan.resume(mailing)
        had = self._come_out(mailing, outcome)
        self.model.alerts[row.pk] = Alert(
            self.now, frozenset(concerned[subscriber] for subscriber in had)
        )

    def _come_out(self, mailing: Mailing, outcome: int) -> set[int]:
        """Let each copy have an outcome, and return who was reached."""
        reached = set()
        for at, delivery in enumerate(mailing.deliveries.order_by("pk")):
            state = OUTCOMES[(outcome >> 2 * at) % 4]
            Delivery.objects.filter(pk=delivery.pk).update(state=state, outcome_at=self.now)
            if state in ("accepted", "unknown"):
                reached.add(delivery.subscriber_id)
        for batch in mailing.batches.all():
            counts: dict[str, Any] = {
                state: batch.deliveries.filter(state=state).count() for state in OUTCOMES
            }
            mailing.batches.filter(pk=batch.pk).update(state="done", **counts)
        return reached

    def translate(self, number: int) -> None:
        """Publish an article's translation, or take it off the site, or put it back."""
        row = self._article(number)
        if row is None:
            return
        article = self.model.articles[row.pk]
        if article.translation is None:
            translation = factories.ArticleFactory(language="es", translation_of=row)
            factories.approved(translation)
            article.translation = translation.pk
        else:
            article.translation_live = not article.translation_live
            ArticleRow.objects.filter(pk=article.translation).update(live=article.translation_live)

    def _note_versions(self, mailing: int, language: str, articles: Iterable[int]) -> None:
        shown = self._shown.setdefault((mailing, language), {})
        for article in articles:
            shown[article] = self.model.version(article, language)

    def _each_was_shown_one_version(self) -> None:
        """By what is kept with the run: in the reader's language, as of when it was planned."""
        for edition in Edition.objects.filter(mailing__kind=Mailing.Kind.DIGEST):
            assert edition.pieces is not None
            assert {
                int(article): version
                for article, (version, _) in edition.pieces["articles"].items()
            } == self._shown[edition.mailing_id, edition.language]
