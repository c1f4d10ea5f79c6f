"""The readers, conditions and articles of `benchmarks.digest`, written by the database itself."""

import random
import sys
import time

CONDITIONS = 200
ARTICLES = 500
SLUG = "my-conditions"
_READERS = (
    "signup_subscriber", "signup_subscription", "signup_follow", "signup_consententry",
    "sending_digestmark", "sending_delivery", "sending_batch", "sending_edition", "sending_mailing",
)  # fmt: skip
_CATALOGUE = (
    "catalogue_condition", "catalogue_newsletter", "editions_article", "editions_release",
)  # fmt: skip


_SUMMARY = "What a large study found, what it did not, and what it means for those who have it."
_PARAGRAPH = (
    "<p>Most back pain eases within weeks, with movement and patience. This paragraph is here to "
    "give the digest of a measurement the weight of a real one.</p>"
)


def fill(readers: int) -> None:
    """Write readers with a live digest subscription that is due, and what they follow, instead of
    those of an earlier call; the catalogue once.
    """
    from django.db import connection

    from newsletter.catalogue.models import Newsletter

    began = time.monotonic()
    is_first = not Newsletter.objects.filter(slug=SLUG).exists()
    with connection.cursor() as cursor:
        # The ledger's triggers refuse to be emptied; only the database's owner may lift them.
        cursor.execute("SET session_replication_role = replica")
        tables = [*_READERS, *_CATALOGUE] if is_first else _READERS
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        if is_first:
            make_catalogue()
        for statement in _FILL:
            cursor.execute(statement, {"readers": readers, "weights": _zipf()})
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    print(f"{readers:,} readers written in {time.monotonic() - began:.0f} s", file=sys.stderr)


def make_catalogue() -> None:
    """A digest, 200 conditions and 500 released articles."""
    from newsletter.approval import freeze
    from newsletter.approval.models import Approval
    from newsletter.catalogue.models import Condition, Newsletter, ReleaseCounter
    from newsletter.desk.models import User
    from newsletter.editions.models import Article, Release

    Newsletter.objects.create(
        name="My conditions", slug=SLUG, kind="digest", promise="What is new.",
        from_name="Wellread", from_email="news@wellread.example", list_id_label=SLUG,
        sensitive=True, postal_address="1 Harbour Street, Example Town",
    )  # fmt: skip
    Condition.objects.bulk_create(
        Condition(name=f"Condition {n}", slug=f"condition-{n}", group="G", summary="It is.")
        for n in range(CONDITIONS)
    )
    dice = random.Random(1)
    conditions = list(Condition.objects.order_by("pk").values_list("pk", flat=True))
    articles = Article.objects.bulk_create(
        Article(
            title=f"Article {n}", slug=f"article-{n}", summary=_SUMMARY, live=True,
            body=[("rich_text", _PARAGRAPH)] * 3, author_name="A. Author",
            author_credentials="Physiotherapist", weight=dice.randrange(5),
        )
        for n in range(ARTICLES)
    )  # fmt: skip
    through = Article.conditions.through
    through.objects.bulk_create(
        through(article=article, condition_id=condition)
        for place, article in enumerate(articles)
        # Each condition has news, so that everybody gets a digest.
        for condition in {conditions[place % CONDITIONS], dice.choice(conditions)}
    )
    staff, _ = User.objects.get_or_create(username="bench")
    for article in articles:
        forms = freeze.article_forms(article)
        approval = Approval.objects.create(
            article=article, revision=article.save_revision(), approved_by=staff,
            content_hash=freeze.hash_of(forms),
        )  # fmt: skip
        freeze.store(approval, forms)
    Release.objects.bulk_create(
        Release(article=article, seq=place, released_by=staff)
        for place, article in enumerate(articles, start=1)
    )
    ReleaseCounter.objects.update_or_create(pk=1, defaults={"value": ARTICLES})


def _zipf() -> list[float]:
    """Return for each condition the share of choices that fall on it or on one before it."""
    shares = [1 / place for place in range(1, CONDITIONS + 1)]
    whole, upto = sum(shares), 0.0
    edges = []
    for share in shares:
        upto += share / whole
        edges.append(upto)
    return edges


_FILL = (
    """INSERT INTO signup_subscriber (id, email, email_key, address_hash, first_name, language,
        timezone, text_only, created_at)
    SELECT n, 'reader' || n || '@example.org', 'reader' || n || '@example.org',
        decode('01' || lpad(to_hex(n), 64, '0'), 'hex'), '', 'en',
        (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Auckland'])[1 + n %% 4], false,
        now() - interval '90 days'
    FROM generate_series(1, %(readers)s) n""",
    """INSERT INTO signup_consententry (subject, seq, action, purpose, method, form_url, evidence,
        at, key_version, previous_hash, entry_hash)
    SELECT gen_random_uuid(), seq, 'confirmed', purpose, 'confirmation', '', '', now(), 1,
        '', ''
    FROM generate_series(1, %(readers)s) n, (VALUES (1, 'mail'), (2, 'health')) x (seq, purpose)""",
    """UPDATE signup_subscriber SET health_consent_id = entry.id FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM signup_consententry
        WHERE purpose = 'health') entry WHERE entry.place = signup_subscriber.id""",
    """INSERT INTO signup_subscription (id, subscriber_id, newsletter_id, state, ended_reason,
        consent_id, cadence, weekday, hour, created_at, live_at)
    SELECT place, place, 1, 'live', '', id,
        (ARRAY['weekly', 'weekly', 'daily', 'monthly'])[1 + place %% 4], place %% 7,
        7 + place %% 3, now() - interval '90 days', now() - interval '90 days'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM signup_consententry
        WHERE purpose = 'mail') entry""",
    # Three different conditions: of six throws of the dice the first three that differ.
    """INSERT INTO signup_follow (subscriber_id, condition_id, from_seq, followed_at)
    SELECT subscriber_id, condition_id, 0, now() - interval '90 days' FROM (
        SELECT reader.id AS subscriber_id, thrown.condition_id,
            row_number() OVER (PARTITION BY reader.id ORDER BY min(thrown.place)) AS nth
        FROM signup_subscriber reader CROSS JOIN LATERAL (
            SELECT place, 1 + width_bucket(random(), %(weights)s::float8[]) AS condition_id
            FROM generate_series(1, 12) place WHERE reader.id > 0
        ) thrown WHERE thrown.condition_id <= 200
        GROUP BY reader.id, thrown.condition_id
    ) chosen WHERE nth <= 3""",
    """INSERT INTO sending_digestmark (subscription_id, mark, next_due_at, first_sent_at)
    SELECT id, 0, now() - interval '1 minute', now() - interval '30 days'
    FROM signup_subscription""",
)
