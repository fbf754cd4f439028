"""Matches of rules keep when their record changed. They are found anew when the program's SQL is installed."""

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0028_parts_of_reach"),
    ]

    operations = [
        migrations.RunSQL(
            "DELETE FROM access_rule_match; DELETE FROM access_rule_part",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="rulematch",
            name="updated_at",
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="rulematch",
            index=models.Index(fields=["part", "updated_at", "record_id"], name="access_rule_match_in_order"),
        ),
    ]
