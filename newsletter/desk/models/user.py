"""The staff's own accounts. A custom user from the first migration, so that it can grow."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):  # type: ignore[django-manager-missing]  # Wagtail's locked_by
    """A member of staff. Readers are Subscribers and never have accounts."""
