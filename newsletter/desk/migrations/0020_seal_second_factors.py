"""Secrets of second factors are sealed with FACTOR_KEYS: those that stand there plainly, now."""

from binascii import unhexlify

from django.db import migrations

from newsletter.desk.security import sealing


def seal(apps, schema_editor):
    devices = apps.get_model("otp_totp", "TOTPDevice").objects.using(schema_editor.connection.alias)
    for device in devices.only("pk", "user_id", "key").iterator():
        if sealing.version_of(device.key) is None:
            sealed = sealing.seal(unhexlify(device.key), account=device.user_id)
            devices.filter(pk=device.pk, key=device.key).update(key=sealed)


def unseal(apps, schema_editor):
    """So that the version before, which knows of no seal, goes on with the same apps."""
    devices = apps.get_model("otp_totp", "TOTPDevice").objects.using(schema_editor.connection.alias)
    for device in devices.only("pk", "user_id", "key").iterator():
        if sealing.version_of(device.key) is not None:
            plain = sealing.opened(device.key, account=device.user_id).hex()
            devices.filter(pk=device.pk, key=device.key).update(key=plain)


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0014_scopes_invitations_and_departures"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = [
        migrations.CreateModel(
            name="Authenticator",
            fields=[],
            options={
                "proxy": True,
                "default_permissions": (),
                "indexes": [],
                "constraints": [],
            },
            bases=("otp_totp.totpdevice",),
        ),
        migrations.RunPython(seal, unseal),
    ]
