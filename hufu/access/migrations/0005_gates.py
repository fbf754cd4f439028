"""Gates, what they bind, and the gates of terms of reach."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

PRINCIPALS = ("user", "group", "department", "position", "level")


def _binds_one_thing():
    """Exactly one of: signing in, a permission, a role, a principal."""

    def named(thing):
        condition = models.Q(sign_in=thing == "sign_in", role__isnull=thing != "role")
        condition &= ~models.Q(permission="") if thing == "permission" else models.Q(permission="")
        for kind in PRINCIPALS:
            condition &= models.Q(**{f"{kind}__isnull": thing != kind})
        return condition

    condition = models.Q()
    for thing in ("sign_in", "permission", "role", *PRINCIPALS):
        condition |= named(thing)
    return condition


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0004_company_mode"),
        ("people", "0002_principals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Gate",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("key", models.CharField(db_collation="C", max_length=64, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("conditions", models.JSONField()),
                ("valid_from", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "access_gate",
            },
        ),
        migrations.AddField(
            model_name="term",
            name="gates",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.IntegerField(),
                db_default=models.Value([], django.contrib.postgres.fields.ArrayField(models.IntegerField())),
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="GateUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sign_in", models.BooleanField(default=False)),
                ("permission", models.CharField(blank=True, db_collation="C", default="", max_length=80)),
                ("below", models.BooleanField(db_default=False, default=False)),
                (
                    "post",
                    models.CharField(
                        blank=True,
                        choices=[("head", "Head of department"), ("assistant", "Assistant of department")],
                        db_collation="C",
                        db_default="",
                        default="",
                        max_length=16,
                    ),
                ),
                ("valid_from", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "department",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.department",
                    ),
                ),
                (
                    "gate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="access.gate"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.group",
                    ),
                ),
                (
                    "level",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.level",
                    ),
                ),
                (
                    "position",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.position",
                    ),
                ),
                (
                    "role",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.role",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "access_gate_use",
                "constraints": [
                    models.CheckConstraint(
                        condition=_binds_one_thing(), name="access_gate_use_binds_one_thing"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(department__isnull=False) | models.Q(below=False, post=""),
                        name="access_gate_use_of_department",
                    ),
                ],
            },
        ),
    ]
