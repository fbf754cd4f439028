"""Duplicates: codes are exclusive in their partition, and what is found waits for the steward.

Records that share their code already keep it: all but the oldest are marked, and stand in the steward's list.
"""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.functions.text
from django.db import migrations, models

MARK_REPEATED = """
WITH same AS (
    SELECT id, partition_id, min(id) OVER codes AS first
    FROM crm_customer WHERE code <> '' AND deleted_at IS NULL
    WINDOW codes AS (PARTITION BY partition_id, upper(translate(code, ' -', '')))),
marked AS (
    UPDATE crm_customer c SET code_repeated = true FROM same WHERE same.id = c.id AND same.first < c.id)
INSERT INTO crm_duplicate (type, record_id, other_id, partition_id, field, found_at, state)
SELECT 'customer', id, first, partition_id, 'code', now(), '' FROM same WHERE first < id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0006_states"),
    ]

    operations = [
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(db_collation="C", max_length=40)),
                ("record_id", models.BigIntegerField()),
                ("other_id", models.BigIntegerField()),
                ("partition_id", models.IntegerField()),
                ("field", models.CharField(db_collation="C", max_length=64)),
                ("found_at", models.DateTimeField()),
                ("found_by", models.IntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        blank=True,
                        choices=[("", "open"), ("not_one", "not a duplicate"), ("merge", "to be merged")],
                        db_collation="C",
                        default="",
                        max_length=16,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "crm_duplicate",
                "indexes": [
                    models.Index(fields=["state", "-id"], name="duplicate_state"),
                    models.Index(fields=["type", "other_id"], name="duplicate_other"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("type", "record_id", "other_id", "field"), name="crm_duplicate_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateDispute",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(db_collation="C", max_length=40)),
                ("record_id", models.BigIntegerField()),
                ("partition_id", models.IntegerField()),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(db_collation="C", max_length=64), size=None
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("raised_at", models.DateTimeField()),
                ("raised_by", models.IntegerField()),
                ("answer", models.CharField(blank=True, default="", max_length=500)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "crm_duplicate_dispute",
                "indexes": [
                    models.Index(fields=["type", "record_id"], name="duplicate_dispute_record"),
                    models.Index(fields=["raised_by"], name="duplicate_dispute_mine"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateHit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(db_collation="C", max_length=40)),
                ("record_id", models.BigIntegerField()),
                ("partition_id", models.IntegerField()),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(db_collation="C", max_length=64), size=None
                    ),
                ),
                ("told", models.JSONField()),
                ("found_at", models.DateTimeField()),
                ("found_by", models.IntegerField()),
            ],
            options={
                "db_table": "crm_duplicate_hit",
                "indexes": [
                    models.Index(fields=["found_by", "-found_at"], name="duplicate_hit_mine"),
                    models.Index(fields=["type", "record_id"], name="duplicate_hit_record"),
                    models.Index(fields=["found_at"], name="duplicate_hit_age"),
                ],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="code_repeated",
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL(MARK_REPEATED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                models.F("partition"),
                django.db.models.functions.text.Upper(
                    models.Func(models.F("code"), models.Value(" -"), models.Value(""), function="translate")
                ),
                condition=models.Q(
                    ("code_repeated", False),
                    ("deleted_at__isnull", True),
                    models.Q(("code", ""), _negated=True),
                ),
                name="crm_customer_code_exclusive",
            ),
        ),
    ]
