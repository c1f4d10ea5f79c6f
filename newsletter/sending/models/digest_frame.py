"""What stands around a condition's articles in digests, as it was when a run was planned."""

from django.db import models


class DigestFrame(models.Model):
    """Heading and end of one condition's section in one language, under its content's name.

    Thousands of runs share a row: a new one is made only when a condition is renamed, a colour or
    a template changes. Names nobody. Rows are never changed.
    """

    content_hash = models.BinaryField(max_length=32, unique=True)
    # What `digest_pieces` wrote; read back with its hash checked.
    content = models.BinaryField()
