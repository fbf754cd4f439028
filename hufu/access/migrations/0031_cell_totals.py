"""Totals of departments and owners beside those of partitions. All are counted anew when the program's SQL is installed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0030_shared_records_in_cells"),
    ]

    operations = [
        migrations.RunSQL("DROP VIEW IF EXISTS hufu.cell_totals", migrations.RunSQL.noop),
        migrations.DeleteModel(name="CellTotal"),
        migrations.CreateModel(
            name="CellTotal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("type", models.CharField(db_collation="C", max_length=40)),
                ("partition_id", models.IntegerField()),
                ("records", models.BigIntegerField()),
                ("void", models.BigIntegerField()),
                ("by", models.CharField(db_collation="C", max_length=12)),
                ("key", models.IntegerField()),
            ],
            options={
                "db_table": "access_cell_total",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("type", "by", "key", "partition_id"), name="access_cell_total_once"
                    )
                ],
            },
        ),
    ]
