"""The tables just as the models say now: nobody keeps data of this type, so it has no earlier states to come from."""

from django.apps import apps
from django.db import migrations
from django.db.migrations.state import ModelState

TABLES = ("added_site", "added_inspection")


def _as_declared(name: str) -> migrations.CreateModel:
    state = ModelState.from_model(apps.get_model("added", name))
    return migrations.CreateModel(
        name, list(state.fields.items()), state.options, state.bases, state.managers
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = (("access", "__latest__"), ("crm", "__latest__"), ("people", "__latest__"))
    operations = (
        _as_declared("Site"),
        _as_declared("Inspection"),
        *(
            migrations.RunSQL(f"CREATE SEQUENCE {table}_id_seq AS bigint OWNED BY {table}.id")
            for table in TABLES
        ),
        # What belongs to another record lives in its partition, moves with it, and goes or stays without it.
        migrations.RunSQL(
            "ALTER TABLE added_site ADD CONSTRAINT added_site_customer FOREIGN KEY (partition_id, customer_id)"
            " REFERENCES crm_customer (partition_id, id) ON UPDATE CASCADE ON DELETE SET NULL (customer_id);"
            "ALTER TABLE added_inspection ADD CONSTRAINT added_inspection_site FOREIGN KEY (partition_id, site_id)"
            " REFERENCES added_site (partition_id, id) ON UPDATE CASCADE ON DELETE CASCADE"
        ),
    )
