"""A mailing keeps what its Message-IDs and links are made from.

The mailings that are there keep an empty salt, so that a copy of theirs that is sent again has the
Message-ID of the first one; their links are signed with the key that is the newest now.
"""

from django.db import migrations, models

import newsletter.sending.models.mailing
import signup.tokens


class Migration(migrations.Migration):
    dependencies = [("sending", "0002_fillfactor")]

    operations = [
        migrations.AddField(
            model_name="mailing",
            name="salt",
            field=models.BinaryField(default=bytes, max_length=16),
        ),
        migrations.AlterField(
            model_name="mailing",
            name="salt",
            field=models.BinaryField(
                default=newsletter.sending.models.mailing.new_salt, max_length=16
            ),
        ),
        migrations.AddField(
            model_name="mailing",
            name="token_version",
            field=models.PositiveSmallIntegerField(default=signup.tokens.newest_version),
        ),
    ]
