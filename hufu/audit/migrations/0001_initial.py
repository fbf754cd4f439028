from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("type", models.TextField(db_collation="C")),
                ("actor", models.UUIDField(null=True)),
                ("on_behalf", models.UUIDField(null=True)),
                ("target_type", models.TextField(db_collation="C", null=True)),
                ("target_id", models.BigIntegerField(null=True)),
                ("partition_id", models.IntegerField(null=True)),
                ("result", models.TextField(db_collation="C")),
                ("request_id", models.TextField(db_collation="C")),
                ("body", models.BinaryField()),
                ("leaf", models.BinaryField()),
            ],
            options={
                "db_table": "audit_event",
                "indexes": [
                    models.Index(
                        models.OrderBy(models.F("at"), descending=True),
                        models.OrderBy(models.F("id"), descending=True),
                        name="audit_event_at",
                    ),
                    models.Index(
                        models.F("type"),
                        models.OrderBy(models.F("at"), descending=True),
                        name="audit_event_type",
                    ),
                    models.Index(
                        models.F("actor"),
                        models.OrderBy(models.F("at"), descending=True),
                        name="audit_event_actor",
                    ),
                    models.Index(
                        models.F("target_type"),
                        models.F("target_id"),
                        models.OrderBy(models.F("at"), descending=True),
                        name="audit_event_target",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditSubject",
            fields=[
                ("pseudonym", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.TextField(db_collation="C")),
                ("ref", models.BigIntegerField()),
                ("wrapped_key", models.BinaryField(null=True)),
                ("key_version", models.IntegerField()),
            ],
            options={
                "db_table": "audit_subject",
                "constraints": [models.UniqueConstraint(fields=("kind", "ref"), name="audit_subject_is_one")],
            },
        ),
        # No event without its leaf hash; PostgreSQL computes both sides.
        migrations.RunSQL(
            "ALTER TABLE audit_event "
            r"ADD CONSTRAINT audit_event_leaf CHECK (leaf = sha256('\x00'::bytea || body)), "
            "ADD CONSTRAINT audit_event_result CHECK (result IN ('done', 'refused', 'failed'))",
            "ALTER TABLE audit_event DROP CONSTRAINT audit_event_leaf, DROP CONSTRAINT audit_event_result",
        ),
    ]
