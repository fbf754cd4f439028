import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0012_sharing_rules"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeSet",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True, default="")),
                ("author", models.IntegerField()),
                ("base_version", models.IntegerField()),
                ("document", models.TextField()),
                ("narrows", models.BooleanField()),
                (
                    "risk",
                    models.CharField(
                        choices=[("low", "Low risk"), ("medium", "Medium risk"), ("high", "High risk")],
                        db_collation="C",
                        max_length=8,
                    ),
                ),
                ("outcome", models.TextField(blank=True, default="")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("submitted", "Waits for approval"),
                            ("published", "Published"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        db_collation="C",
                        db_default="submitted",
                        default="submitted",
                        max_length=16,
                    ),
                ),
                ("submitted_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.IntegerField(null=True)),
                ("decision", models.TextField(blank=True, db_default="", default="")),
                ("version", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "access_change_set",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["submitted", "published", "rejected", "withdrawn"])
                        ),
                        name="access_change_set_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("state", "submitted"),
                            ),
                            models.Q(
                                models.Q(("state", "submitted"), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="access_change_set_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "published"), ("version__isnull", False)),
                            models.Q(
                                models.Q(("state", "published"), _negated=True), ("version__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="access_change_set_published",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VersionText",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("document", models.TextField()),
                (
                    "change_set",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.changeset",
                    ),
                ),
            ],
            options={
                "db_table": "access_version_text",
            },
        ),
    ]
