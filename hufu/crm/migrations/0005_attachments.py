from django.db import migrations, models

from hufu.core.vault.fields import SealedText


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_sealed_fields")]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(db_collation="C", max_length=40)),
                ("record_id", models.BigIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("media", models.CharField(db_collation="C", max_length=100)),
                ("size", models.BigIntegerField()),
                ("digest", models.CharField(db_collation="C", max_length=64)),
                ("file", models.UUIDField(unique=True)),
                ("key", SealedText(blank=True, default="")),
                ("added_at", models.DateTimeField()),
                ("added_by", models.IntegerField()),
                ("removed_at", models.DateTimeField(null=True)),
                ("removed_by", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "crm_attachment",
                "indexes": [
                    models.Index(fields=["type", "record_id", "-id"], name="attachment_record"),
                ],
            },
        ),
    ]
