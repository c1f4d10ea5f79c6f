"""The access log knows of breaches and imports: choices only, so no table is altered."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("desk", "0020_seal_second_factors"),
    ]

    operations = [
        migrations.AlterField(
            model_name="accessentry",
            name="action",
            field=models.CharField(
                choices=[
                    ("conditions_seen", "looked at what a reader follows"),
                    ("listed", "listed readers by condition"),
                    ("exported", "exported a reader's data"),
                    ("erased", "erased a reader"),
                    ("proof_seen", "took out the proof of consent"),
                    ("breach_asked", "asked whom a breach touches"),
                    ("breach_listed", "listed whom a breach touches"),
                    ("imported", "imported readers"),
                    ("factor_reset", "took a second factor off an account"),
                ],
                max_length=20,
                verbose_name="what",
            ),
        ),
    ]
