"""Random years of readers' and editors' doings, against the plain model of the rules.

DIGEST_LIVES=3000 tells that many, longer ones, instead of a few.
"""

import os
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.rendering.digest import compile_shell
from newsletter.sending import digest_pieces, digest_slice
from tests.digests import factories
from tests.digests.lives import MINUTE, World
from tests.digests.plain_model import BEGIN, HOURS, WEIGHTS, ZONES, Rhythm

LIVES = int(os.environ.get("DIGEST_LIVES", "0"))
LONGEST = timedelta(days=4 * 365)

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(0 if LIVES else 300)]

readers = st.integers(0, 4)
topics = st.integers(0, len(WEIGHTS) - 1)
which = st.integers(0, 30)
rhythms = st.builds(
    Rhythm,
    st.sampled_from(["immediate", "daily", "weekly", "monthly"]),
    st.integers(0, 6),
    st.sampled_from(HOURS),
    st.sampled_from(ZONES),
)
releases = st.tuples(st.just("release"), st.sets(topics, min_size=1), st.integers(0, 1))
deeds = st.one_of(
    releases,
    # Twice, since without articles little happens.
    releases,
    st.tuples(st.just("again"), which),
    st.tuples(st.just("withdraw"), which),
    st.tuples(st.just("retag"), which, st.sets(topics, min_size=1)),
    st.tuples(st.just("unpublish_or_publish"), which),
    st.tuples(st.just("review"), which, st.none() | st.integers(-3, 60)),
    st.tuples(st.just("follow"), readers, topics),
    st.tuples(st.just("unfollow"), readers, topics),
    st.tuples(st.just("pause_topic"), readers, topics),
    st.tuples(st.just("rhythm"), readers, rhythms),
    st.tuples(st.just("pause"), readers, st.integers(0, 40)),
    st.tuples(st.just("consent"), readers),
    st.tuples(st.just("leave_or_return"), readers),
    st.tuples(st.just("join"), topics),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("skip"), which),
    st.tuples(st.just("sent"), which),
    st.tuples(st.just("alert"), which, st.integers(0, 4**5 - 1)),
    st.tuples(st.just("alerts_in_pauses"), readers),
    st.tuples(st.just("translate"), which),
)
# What may happen to a run.
due = st.tuples(st.just("due"))
events = st.one_of(
    due,
    due,
    st.tuples(st.just("early")),
    st.tuples(st.just("gap"), st.integers(1, 50 * 24 * 60)),
    st.tuples(st.just("crash"), st.sampled_from(["at", "after"]), st.integers(1, 40)),
    st.tuples(st.just("meanwhile"), st.integers(1, 3), deeds),
    st.tuples(st.just("two runs"), st.integers(1, 3), st.integers(0, 2)),
    st.tuples(st.just("twice")),
    st.tuples(st.just("ahead"), st.integers(1, 300)),
)
# What by chance alone seldom comes together: something appears while one reader is away from it.
stories = st.one_of(
    st.builds(
        lambda who, release: [("leave_or_return", who), release, ("leave_or_return", who)],
        readers,
        releases,
    ),
    st.builds(
        lambda who, days, release: [("pause", who, days), release, ("pause", who, 0)],
        readers,
        st.integers(1, 40),
        releases,
    ),
    st.builds(
        lambda how, who, topic: [
            ("follow", who, topic), (how, who, topic), ("release", {topic}, 0),
            ("follow", who, topic),
        ],
        st.sampled_from(["unfollow", "pause_topic"]),
        readers,
        topics,
    ),
)  # fmt: skip
chapters = st.tuples(st.lists(deeds, max_size=2) | stories, events)
lives = st.lists(chapters, min_size=5, max_size=100 if LIVES else 40)


@pytest.fixture
def one_shell(monkeypatch):
    """What the mail looks like is not asked here, so it is compiled once and not per run."""
    shell = compile_shell(factories.DigestNewsletterFactory(), "en")
    monkeypatch.setattr(digest_slice, "compile_shell", lambda newsletter, language: shell)
    monkeypatch.setattr(digest_pieces, "_written", lambda condition, language: b"[]")


@settings(
    max_examples=LIVES or 15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(lives)
# A run of months ahead, then one that ends in the middle of mending the due times it left.
@example(
    [
        ([("pause", 0, 2), ("release", {0}, 0), ("pause", 0, 0)], ("due",)),
        ([], ("due",)),
        ([("release", {0}, 0), ("follow", 3, 0)], ("ahead", 137)),
        ([("pause", 1, 19), ("release", {0}, 0), ("pause", 1, 0)], ("crash", "at", 7)),
        ([("leave_or_return", 0), ("release", {0, 1, 3}, 1)], ("early",)),
        ([("leave_or_return", 0), ("again", 29)], ("ahead", 9)),
    ]
)
def test_what_is_planned_is_what_the_rules_say(one_shell, life):
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest_slice, "SLICE", 2)
        patch.setattr(digest_slice, "BATCH", 1)
        live(World(patch), life)
        transaction.set_rollback(True)


def live(world, life):
    for before, (what, *how) in life:
        for name, *words in before:
            world.wait(37)
            getattr(world, name)(*words)
        happens(world, what, how)
        if world.now - BEGIN > LONGEST:
            break
    # Whatever was interrupted is completed, and everybody's next digest comes.
    for _ in range(10):
        world.run(world.until_somebody_is_due())
    world.agrees()


def happens(world, what, how):
    at = world.until_somebody_is_due()
    if what == "due":
        world.run(at)
    elif what == "early":
        # Nobody is: the model is asked, and agrees at the end.
        if at - MINUTE > world.now:
            world.run(at - MINUTE)
    elif what == "gap":
        start = world.now.replace(second=0, microsecond=0)
        world.run(start + how[0] * MINUTE + MINUTE)
    elif what == "crash":
        world.run(at, crash=(how[0], how[1] if how[0] == "at" else how[1] % 3))
    elif what == "meanwhile":
        slice_, (name, *words) = how
        world.run_and(at, slice_, lambda: getattr(world, name)(*words))
    elif what == "two runs":
        slice_, minutes = how
        world.run_and(at, slice_, lambda: world.another_run(minutes * MINUTE))
    elif what == "twice":
        world.run(at)
        world.run(at)
    elif what == "ahead":
        here = world.now
        world.run(at + timedelta(days=how[0]))
        world.now = here
