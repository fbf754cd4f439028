from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0002_principals")]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor", models.IntegerField(null=True)),
                ("version", models.IntegerField()),
                ("transaction", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "access_change",
                "indexes": [models.Index(fields=["at"], name="access_change_at")],
            },
        ),
        # Where people were before changes had numbers, the past begins with change 0, today.
        migrations.RunSQL(
            "INSERT INTO access_change (number, at, version)"
            " SELECT 0, now(), coalesce((SELECT max(number) FROM access_version), 0)"
            " WHERE EXISTS (SELECT 1 FROM people_user)",
            migrations.RunSQL.noop,
        ),
    ]
