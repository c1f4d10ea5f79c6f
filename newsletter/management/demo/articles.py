"""The articles: written by the author, signed off by the reviewer, published, released."""

import json
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from newsletter.approval import release, sign_off
from newsletter.catalogue.models import Condition
from newsletter.editions.models import Article
from newsletter.management.demo import content, staff


def make() -> int:
    """Make the articles that are missing; one that exists belongs to its editors and is left."""
    there = set(Article.objects.values_list("slug", flat=True))
    missing = [each for each in content.articles() if each.slug not in there]
    for file in missing:
        # One transaction each: an article is whole or not there, so that a run goes on where
        # an interrupted one stopped.
        with transaction.atomic():
            _make(file)
    return len(missing)


def _make(file: content.ArticleFile) -> None:
    now = timezone.now()
    today = timezone.localdate()
    author, reviewer = staff.person(staff.AUTHOR), staff.person(staff.REVIEWER)
    article = Article(
        **file.fields,
        slug=file.slug,
        body=json.dumps(file.body),
        reviewed_on=file.review.on(today),
        review_due=file.review.due(today),
        first_published_at=now - timedelta(days=file.published_days_ago),
        live=False,
    )
    article.full_clean()
    article.save()
    article.conditions.set(Condition.objects.filter(slug__in=file.conditions))
    article.save()
    revision = article.save_revision(user=author, log_action=True)
    sign_off.approve_article(article=article, revision=revision, by=reviewer)
    revision.publish(user=reviewer)
    if not file.held_back:
        release.release(article=article, by=reviewer)
