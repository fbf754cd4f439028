# The logins of reporting users

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0013_change_sets"),
        ("people", "0006_confirmed_devices"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReportingLogin",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("opened_by", models.IntegerField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(max_length=500)),
            ],
            options={
                "db_table": "access_reporting_login",
            },
        ),
    ]
