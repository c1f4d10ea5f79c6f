"""Safety alerts as tests need them: written by one, signed by two others, sent."""

from newsletter.approval import freeze
from newsletter.approval.models import Approval
from newsletter.editions.models import Article
from newsletter.sending import alert as alerts
from newsletter.sending.models import SafetyAlert
from newsletter.tasks import plan_alert
from tests.digests.factories import ArticleFactory, UserFactory


def approved_article(*conditions, by=None, language="en", **values) -> Article:
    """A live article whose standing approval is of exactly what is live."""
    article = ArticleFactory(conditions=conditions, language=language, **values)
    revision = article.save_revision(user=by or UserFactory())
    article.live_revision = revision
    article.save()
    forms = freeze.article_forms(article)
    approval = Approval.objects.create(
        article=article,
        revision=revision,
        content_hash=freeze.hash_of(forms),
        approved_by=UserFactory(),
    )
    freeze.store(approval, forms)
    return article


def marked(article: Article, **values) -> SafetyAlert:
    return alerts.mark(
        article=article,
        kind=SafetyAlert.Kind.RECALL,
        advice="Stop taking it and call your pharmacist.",
        **{"by": UserFactory(), **values},
    )


def sign(alert: SafetyAlert, by=None) -> list[int]:
    _forms, seen = alerts.contents_of(alert)
    return list(alerts.sign(alert=alert, by=by or UserFactory(), seen=seen))


def sent(article: Article, **values) -> SafetyAlert:
    """Marked, signed twice and planned, as the desk does it."""
    alert = marked(article, **values)
    sign(alert)
    sign(alert)
    plan_alert(alert.pk)
    alert.refresh_from_db()
    return alert
