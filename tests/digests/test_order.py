"""In which order a digest shows its articles: safety first, then weight, then freshness."""

from newsletter.editions.digest_rules import Released, Shelf, choose_first, choose_new

BACK, MIGRAINE = 1, 2
WEIGHTS = {BACK: 10, MIGRAINE: 0}


def shelf(*releases: Released) -> Shelf:
    return Shelf(releases, WEIGHTS)


def on(seq: int, condition: int, weight: int = 0, *, safety: bool = False) -> Released:
    """One release whose article has its number."""
    return Released(seq, seq, weight, frozenset([condition]), safety)


def new(found: Shelf, cap: int = 7) -> list[int]:
    return choose_new(found, {BACK: 0, MIGRAINE: 0}, mark=0, cutoff=99, cap=cap)


def first(found: Shelf) -> list[int]:
    return choose_first(found, [BACK, MIGRAINE], cutoff=99)


def test_heavier_conditions_come_first_then_heavier_articles_then_fresher_ones() -> None:
    found = shelf(on(1, MIGRAINE, 9), on(2, BACK), on(3, BACK, 5), on(4, BACK))
    assert new(found) == [3, 4, 2, 1]


def test_a_safety_alert_comes_before_everything_else_and_is_never_cut_off() -> None:
    found = shelf(on(1, MIGRAINE, safety=True), *(on(seq, BACK, 9) for seq in range(2, 12)))
    assert new(found)[0] == 1
    assert new(found, cap=1) == [1]


def test_a_safety_alert_comes_first_in_a_first_digest_too() -> None:
    found = shelf(on(1, MIGRAINE, safety=True), on(2, MIGRAINE, 9), on(3, BACK, 9), on(4, BACK, 8))
    assert first(found) == [1, 3, 2, 4]


def test_a_safety_alert_has_its_place_in_a_first_digest_however_many_conditions_are_heavier() -> (
    None
):
    many = range(10, 30)
    found = Shelf(
        [on(1, MIGRAINE, safety=True), *(on(seq, seq) for seq in many)], dict.fromkeys(many, 5)
    )
    assert choose_first(found, [MIGRAINE, *many], cutoff=99)[0] == 1
