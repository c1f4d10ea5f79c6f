"""What keeps the desk's fences standing: mail to staff, checks, the last way out."""

import pytest
from django.core.mail import EmailMessage, get_connection
from django.core.management import CommandError, call_command
from django.db import connection
from django_otp.plugins.otp_totp.models import TOTPDevice

from newsletter.desk import access_log, checks
from newsletter.desk.models import AccessEntry, User
from project.logs import mask
from tests.desk import signing_in

BACKEND = "newsletter.transports.django_mail.EmailBackend"


def message(*to: str) -> EmailMessage:
    body = "Grüße\n.one dot\n/admin/password_reset/confirm/MQ/abc-def/\n"
    return EmailMessage("A new password", body, "desk@example.org", list(to))


@pytest.mark.parametrize("place", ["to", "subject"])
def test_no_header_is_smuggled_in(settings, place):
    from django.core.mail import BadHeaderError

    settings.EMAIL_URL = "memory://"
    bad = message("ada@staff.example.org")
    if place == "to":
        bad.to = ["ada@staff.example.org\nBcc: eve@example.org"]
    else:
        bad.subject = "Hello\r\nBcc: eve@example.org"
    with pytest.raises((BadHeaderError, ValueError)):
        get_connection(BACKEND).send_messages([bad])


def test_no_log_shows_the_link_for_a_new_password():
    line = mask('"GET /admin/password_reset/confirm/MQ/abc123-def456/ HTTP/1.1" 302')
    assert "abc123" not in line
    assert "MQ" not in line


def test_a_password_alone_in_production_is_a_warning(settings):
    settings.STAFF_SECOND_FACTOR = "optional"
    assert checks.second_factor_is_demanded() == []
    settings.DEBUG = settings.EMBEDDED = False
    assert [found.id for found in checks.second_factor_is_demanded()] == ["desk.W001"]
    settings.STAFF_SECOND_FACTOR = "required"
    assert checks.second_factor_is_demanded() == []


def test_a_missing_guard_of_the_access_log_is_an_error(db):
    assert checks.access_log_is_guarded(databases=["default"]) == []
    assert checks.access_log_is_guarded() == []
    table = " ON desk_accessentry" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER access_log_no_delete{table}")
    [found] = checks.access_log_is_guarded(databases=["default"])
    assert found.id == "desk.E001"
    assert "access_log_no_delete" in found.msg
    assert access_log.missing_triggers(connection) == {"access_log_no_delete"}


def test_the_last_administrator_gets_back_in_by_command(db):
    user, _device = signing_in.with_factor("admin")
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody", "--reason", "Lost phone")
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "admin", "--reason", "ada@example.org asked")
    assert TOTPDevice.objects.exists()
    assert not AccessEntry.objects.exists()
    call_command("reset_second_factor", "admin", "--reason", "Lost phone", verbosity=0)
    assert not TOTPDevice.objects.exists()
    assert AccessEntry.objects.get().reason == "manage.py: Lost phone"
    assert User.objects.get() == user
