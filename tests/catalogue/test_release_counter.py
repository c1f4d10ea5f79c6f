"""Release numbers commit in their order, and nobody takes one outside a transaction."""

import pytest
from django.db import transaction

from newsletter.catalogue.models import ReleaseCounter


@pytest.mark.django_db
def test_before_the_first_release_the_counter_stands_at_zero() -> None:
    assert ReleaseCounter.current() == 0
    assert not ReleaseCounter.objects.exists()


@pytest.mark.django_db
def test_each_release_takes_the_next_number() -> None:
    assert [ReleaseCounter.take_next() for _ in range(3)] == [1, 2, 3]
    assert ReleaseCounter.current() == 3


@pytest.mark.django_db
def test_a_release_that_is_rolled_back_gives_its_number_back() -> None:
    ReleaseCounter.take_next()
    with pytest.raises(RuntimeError), transaction.atomic():
        assert ReleaseCounter.take_next() == 2
        raise RuntimeError
    assert ReleaseCounter.current() == 1


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_no_number_is_given() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        ReleaseCounter.take_next()
    assert ReleaseCounter.current() == 0


@pytest.mark.django_db
def test_there_is_only_ever_one_row() -> None:
    from django.db import IntegrityError

    with pytest.raises(IntegrityError), transaction.atomic():
        ReleaseCounter.objects.create(pk=2)
