"""The publisher, its newsletters, and the conditions that can be followed."""

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from newsletter.catalogue.models import Condition, HelpLine, Newsletter, PublicWords, Publisher
from newsletter.management.demo import content, prose


@transaction.atomic
def make_publisher() -> int:
    """Fill in the publisher, unless somebody has done so already."""
    publisher = Publisher.load()
    if publisher.postal_address:
        return 0
    fields = dict(content.publications()["publisher"])
    fields["privacy_notice"] = prose.to_html(fields["privacy_notice"])
    fields["endorsement_policy_url"] = settings.BASE_URL + reverse("signup:privacy")
    fields["postal_address"] = fields["postal_address"].strip()
    for name, value in fields.items():
        setattr(publisher, name, value)
    publisher.full_clean()
    publisher.save()
    for fields in content.publications()["words"]:
        notice = prose.to_html(fields["privacy_notice"])
        words = PublicWords(language=fields["language"], privacy_notice=notice)
        words.full_clean()
        words.save()
    return 1


@transaction.atomic
def make_newsletters() -> int:
    there = set(Newsletter.objects.values_list("slug", flat=True))
    missing = [each for each in content.publications()["newsletters"] if each["slug"] not in there]
    for fields in missing:
        newsletter = Newsletter(**fields)
        newsletter.full_clean()
        newsletter.save()
    return len(missing)


@transaction.atomic
def make_conditions() -> int:
    today = timezone.localdate()
    there = set(Condition.objects.values_list("slug", flat=True))
    missing = [each for each in content.conditions() if each.slug not in there]
    for file in missing:
        condition = Condition(
            **file.fields,
            slug=file.slug,
            reviewed_on=file.review.on(today),
            review_due=file.review.due(today),
        )
        condition.full_clean()
        condition.save()
        HelpLine.objects.bulk_create(
            HelpLine(condition=condition, **line) for line in file.help_lines
        )
    return len(missing)
