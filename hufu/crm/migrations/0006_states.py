from django.db import migrations, models

TABLES = ("customer", "opportunity")


def _states() -> list[tuple[str, models.Field]]:
    return [
        ("voided_at", models.DateTimeField(null=True)),
        ("voided_by_id", models.IntegerField(null=True)),
        ("void_reason", models.CharField(blank=True, default="", max_length=500)),
        ("locked_at", models.DateTimeField(null=True)),
        ("locked_by_id", models.IntegerField(null=True)),
        ("lock_reason", models.CharField(blank=True, default="", max_length=500)),
        ("pending_tasks", models.IntegerField(default=0)),
    ]


class Migration(migrations.Migration):
    dependencies = [("crm", "0005_attachments")]

    # Columns with a constant default, or none: no table is rewritten. The defaults stay in the database alone: by
    # those of a model a new row would be read again, and whoever may create need not be able to view.
    operations = [
        *(migrations.AddField(model, name, field) for model in TABLES for name, field in _states()),
        *(
            migrations.RunSQL(
                f"ALTER TABLE crm_{model} ALTER void_reason SET DEFAULT '', ALTER lock_reason SET DEFAULT '',"
                " ALTER pending_tasks SET DEFAULT 0",
                migrations.RunSQL.noop,
            )
            for model in TABLES
        ),
    ]
