"""What is shared of single records, in the order of lists. Derived: triggers alone write it."""

from __future__ import annotations

from django.db import models


class SharedRecord(models.Model):
    """A record that a share by hand, a team or a pending task gives somebody, with its place in lists.

    `principal` is whom it is given to (hufu.principal), `source` and `source_id` the row that gives it. `updated_at`
    and what says in which cell the record is are the record's own and follow it. In the bin it is in no cell: it has
    its partition alone.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=8, db_collation="C")
    source_id = models.BigIntegerField()
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    principal = models.CharField(max_length=80, db_collation="C")
    superiors = models.BooleanField()
    given_by = models.IntegerField(null=True)
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    partition_id = models.IntegerField()
    owner_id = models.IntegerField(null=True)
    department_id = models.IntegerField(null=True)
    pool_id = models.IntegerField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "access_shared_record"
        constraints = (
            models.UniqueConstraint(fields=["source", "source_id"], name="access_shared_record_once"),
        )
        indexes = (
            models.Index(fields=["type", "record_id"], name="access_shared_record_of"),
            models.Index(
                fields=["principal", "type", "-updated_at", "-record_id"],
                include=["partition_id", "superiors", "given_by", "starts_at", "ends_at"],
                name="access_shared_record_stream",
            ),
            # Of all that reaches somebody most lies in partitions that are closed to them.
            models.Index(
                fields=["principal", "type", "partition_id", "department_id"],
                include=["owner_id", "pool_id", "record_id", "superiors", "given_by", "starts_at", "ends_at"],
                condition=models.Q(department_id__isnull=False),
                name="access_shared_record_in_cell",
            ),
            models.Index(
                fields=["type", "principal"],
                condition=models.Q(superiors=True),
                name="access_shared_record_above",
            ),
        )
