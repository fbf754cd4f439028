"""The browsers in which people signed in, and the number of somebody's newest link to choose a password."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0004_chosen_passwords"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="link_number",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hash", models.CharField(db_collation="C", max_length=64)),
                ("agent", models.CharField(blank=True, default="", max_length=300)),
                ("address", models.CharField(blank=True, db_collation="C", default="", max_length=45)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("trusted_until", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="devices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "people_device",
                "constraints": (models.UniqueConstraint(fields=("user", "hash"), name="people_device_once"),),
            },
        ),
        migrations.AddField(
            model_name="session",
            name="device",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="sessions",
                to="people.device",
            ),
        ),
    ]
