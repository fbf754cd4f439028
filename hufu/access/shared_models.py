"""What is shared of single records, in the order of lists. Derived: triggers alone write it."""

from __future__ import annotations

from django.db import models


class SharedRecord(models.Model):
    """A record that a share by hand, a team or a pending task gives somebody, with its place in lists.

    `principal` is whom it is given to (hufu.principal), `source` and `source_id` the row that gives it. `updated_at`
    and `partition_id` are the record's own and follow it.
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
            models.Index(
                fields=["type", "principal"],
                condition=models.Q(superiors=True),
                name="access_shared_record_above",
            ),
        )
