"""What is shared, and what rules match, says in which cell it lies. It is found anew when the program's SQL is installed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0029_rule_matches_in_order"),
    ]

    operations = [
        # Derived, and filled again in one statement: to change each row in place would take twice as long.
        migrations.RunSQL(
            "TRUNCATE access_shared_record; TRUNCATE access_rule_match; DELETE FROM access_rule_part",
            migrations.RunSQL.noop,
        ),
        migrations.AddField("sharedrecord", "owner_id", models.IntegerField(null=True)),
        migrations.AddField("sharedrecord", "department_id", models.IntegerField(null=True)),
        migrations.AddField("sharedrecord", "pool_id", models.IntegerField(null=True)),
        migrations.AddField("rulematch", "partition_id", models.IntegerField(null=True)),
        migrations.AddField("rulematch", "owner_id", models.IntegerField(null=True)),
        migrations.AddField("rulematch", "department_id", models.IntegerField(null=True)),
        migrations.AddField("rulematch", "pool_id", models.IntegerField(null=True)),
        migrations.AddIndex(
            model_name="sharedrecord",
            index=models.Index(
                condition=models.Q(("department_id__isnull", False)),
                fields=["principal", "type", "partition_id", "department_id"],
                include=("owner_id", "pool_id", "record_id", "superiors", "given_by", "starts_at", "ends_at"),
                name="access_shared_record_in_cell",
            ),
        ),
    ]
