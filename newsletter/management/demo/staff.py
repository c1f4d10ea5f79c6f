"""The demo's staff: one account for each role."""

import os

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from newsletter.desk import roles
from newsletter.desk.models import User

# For demonstrations only, and public. `make run` makes a password of its own and names it in the
# environment; seed_demo refuses to run where neither EMBEDDED nor DEBUG says that this is a demo.
DEMO_PASSWORD = "wellread-demo"  # noqa: S105 - documented, and no secret

AUTHOR, REVIEWER, SENDER, ADMIN = "author", "reviewer", "sender", "admin"
DATA_PROTECTION = "dataprotection"

_PEOPLE = {
    AUTHOR: ("Henrike", "Solberg", roles.AUTHORS),
    REVIEWER: ("Naledi", "Haugen", roles.REVIEWERS),
    SENDER: ("Marek", "Adeyemi", roles.SENDERS),
    ADMIN: ("Ottilie", "Brandt", roles.ADMINISTRATORS),
    DATA_PROTECTION: ("Caspian", "Lunde", roles.DATA_PROTECTION),
}


def make() -> int:
    """Make the accounts that are missing; one that exists keeps its password and its groups."""
    missing = _PEOPLE.keys() - set(
        User.objects.filter(username__in=_PEOPLE).values_list("username", flat=True)
    )
    if not missing:
        return 0
    roles.ensure_roles()
    # Hashed once: it is one password, and hashing is slow on purpose.
    password = make_password(password_in_use())
    for username in sorted(missing):
        first_name, last_name, group = _PEOPLE[username]
        user = User.objects.create(
            username=username,
            first_name=first_name,
            last_name=last_name,
            email=f"{username}@wellread.example",
            password=password,
            is_staff=True,
            is_superuser=username == ADMIN,
        )
        user.groups.add(Group.objects.get(name=group))
    return len(missing)


def password_in_use() -> str:
    """Return the password of the accounts that a run here and now would make."""
    return os.environ.get("DEMO_PASSWORD") or DEMO_PASSWORD


def person(username: str) -> User:
    return User.objects.get(username=username)
