"""The one row that hands out release numbers (docs/invariants.md, digests).

It stands here, in a leaf, because both sides need it: the release step takes the next number,
and a Follow notes the number at which it begins.
"""

from django.db import connection, models, transaction


class ReleaseCounter(models.Model):
    ONLY_ROW = 1

    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="release_counter_one_row")
        ]

    @classmethod
    def current(cls) -> int:
        """Return the last number handed out by a committed release; 0 before the first."""
        value = cls.objects.filter(pk=cls.ONLY_ROW).values_list("value", flat=True).first()
        return value or 0

    @classmethod
    def take_next(cls) -> int:
        """Take the next number inside the caller's transaction.

        The row stays locked until that transaction ends, so numbers commit in their order.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError(
                "A release number is taken inside the transaction that publishes the release."
            )
        cls.objects.get_or_create(pk=cls.ONLY_ROW)
        row = cls.objects.select_for_update().get(pk=cls.ONLY_ROW)
        row.value += 1
        row.save(update_fields=["value"])
        return row.value
