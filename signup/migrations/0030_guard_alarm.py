"""The row that tells staff of an attack on the sign-up form."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("signup", "0020_change_of_address")]

    operations = [
        migrations.CreateModel(
            name="SignUpAlarm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("until", models.DateTimeField(db_index=True)),
                ("most_in_a_minute", models.PositiveIntegerField()),
                ("suspicious", models.PositiveIntegerField()),
            ],
        ),
    ]
