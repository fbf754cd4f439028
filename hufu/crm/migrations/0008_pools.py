import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0020_pools"),
        ("crm", "0007_duplicates"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="pool",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="access.pool",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("pool__isnull", False)),
                fields=["pool", "-updated_at", "-id"],
                name="customer_pool",
            ),
        ),
        # NOT VALID first: checking what stands needs no lock against writing.
        AddConstraintNotValid(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("owner__isnull", False), ("pool__isnull", True)),
                    models.Q(("owner__isnull", True), ("pool__isnull", False)),
                    _connector="OR",
                ),
                name="customer_owner_or_pool",
            ),
        ),
        ValidateConstraint(model_name="customer", name="customer_owner_or_pool"),
        AddConstraintNotValid(
            model_name="opportunity",
            constraint=models.CheckConstraint(
                condition=models.Q(("owner__isnull", False)), name="opportunity_owner"
            ),
        ),
        ValidateConstraint(model_name="opportunity", name="opportunity_owner"),
        # What lies in a pool lives in its partition; a pool in which something lies stays.
        migrations.RunSQL(
            "ALTER TABLE crm_customer ADD CONSTRAINT crm_customer_pool FOREIGN KEY (partition_id, pool_id)"
            " REFERENCES access_pool (partition_id, id) NOT VALID;"
            "ALTER TABLE crm_customer VALIDATE CONSTRAINT crm_customer_pool;",
            "ALTER TABLE crm_customer DROP CONSTRAINT crm_customer_pool;",
        ),
    ]
