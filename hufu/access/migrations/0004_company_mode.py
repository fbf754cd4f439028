"""The company's name and mode of administration."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0003_changes")]

    operations = [
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("name", models.CharField(blank=True, default="", max_length=120)),
                (
                    "mode",
                    models.CharField(
                        choices=[("standard", "Standard mode"), ("three", "Three-administrator mode")],
                        db_collation="C",
                        max_length=16,
                    ),
                ),
                ("valid_from", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "access_company",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="access_company_only_one"),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["standard", "three"])), name="access_company_mode"
                    ),
                ],
            },
        ),
    ]
