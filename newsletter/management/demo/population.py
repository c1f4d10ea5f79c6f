"""Three hundred invented readers. The same ones each time: the dice are seeded."""

import random
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from newsletter.management.demo import content
from signup.models import Subscription

NUMBER = 300
_SEED = 112
DOMAIN = "example.org"  # reserved (RFC 2606): no such mailbox can ever exist


class _Pool(NamedTuple):
    """What readers are drawn from: population.toml."""

    first_names: list[str]
    last_names: list[str]
    zones: list[str]


class Story(StrEnum):
    """What became of a reader."""

    LIVE = "live"
    PENDING = "pending"
    PAUSED = "paused"  # everything, for some weeks
    PAUSED_CONDITION = "paused_condition"
    LEFT_BY_LINK = "left_by_link"
    LEFT_BY_ONE_CLICK = "left_by_one_click"
    COMPLAINED = "complained"
    BOUNCED = "bounced"


# Fixed numbers, so that every demo shows every story.
_STORIES = {
    Story.PENDING: 21,
    Story.PAUSED: 9,
    Story.PAUSED_CONDITION: 12,
    Story.LEFT_BY_LINK: 11,
    Story.LEFT_BY_ONE_CLICK: 6,
    Story.COMPLAINED: 2,
    Story.BOUNCED: 4,
}


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    first_name: str
    timezone: str
    newsletters: tuple[str, ...]
    conditions: tuple[str, ...]
    cadence: Subscription.Cadence
    weekday: int
    hour: int
    measurement: bool
    text_only: bool
    story: Story


@cache
def people() -> tuple[Person, ...]:
    pool = _Pool(**tomllib.loads((content.FOLDER / "population.toml").read_text(encoding="utf-8")))
    dice = random.Random(_SEED)  # noqa: S311 - nothing hangs on nobody guessing them
    slugs = [condition.slug for condition in content.conditions()]
    popularity = [condition.fields["weight"] + 2 for condition in content.conditions()]
    stories = [story for story, number in _STORIES.items() for _ in range(number)]
    stories += [Story.LIVE] * (NUMBER - len(stories))
    dice.shuffle(stories)
    return tuple(
        _person(dice, pool, number, story, slugs, popularity)
        for number, story in enumerate(stories, 1)
    )


def _person(
    dice: random.Random,
    pool: _Pool,
    number: int,
    story: Story,
    slugs: list[str],
    popularity: list[int],
) -> Person:
    first_name, last_name = dice.choice(pool.first_names), dice.choice(pool.last_names)
    newsletters = dice.choices(
        (("living-well",), ("my-conditions",), ("living-well", "my-conditions")), (25, 30, 45)
    )[0]
    conditions: tuple[str, ...] = ()
    if "my-conditions" in newsletters:
        wanted = dice.choices((1, 2, 3, 5), (45, 30, 18, 7))[0]
        drawn = dict.fromkeys(dice.choices(slugs, popularity, k=4 * wanted))
        conditions = tuple(drawn)[:wanted]
    if story == Story.PAUSED_CONDITION and len(conditions) < 2:
        newsletters, conditions = ("my-conditions",), ("herniated-disk", "migraine")
    cadence = dice.choices(
        (
            Subscription.Cadence.IMMEDIATE,
            Subscription.Cadence.DAILY,
            Subscription.Cadence.WEEKLY,
            Subscription.Cadence.MONTHLY,
        ),
        (8, 17, 60, 15),
    )[0]
    return Person(
        email=f"{first_name}.{last_name}.{number}@{DOMAIN}".lower(),
        # A first name is optional, and some leave it out.
        first_name=first_name if dice.random() < 0.8 else "",
        timezone=pool.zones[(number - 1) % len(pool.zones)],
        newsletters=newsletters,
        conditions=conditions,
        cadence=cadence,
        weekday=dice.randrange(7),
        hour=dice.choice((6, 7, 8, 8, 9, 12, 18, 20)),
        measurement=dice.random() < 0.25,
        text_only=dice.random() < 0.06,
        story=story,
    )
