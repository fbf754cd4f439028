"""Cells: how many live records there are, counted by the database while records change (docs/decisions/0032).

Only its own functions read and write these tables; the application has no right on them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Counted(models.Model):
    """A number of records of one type in one partition that are not in the bin, and how many of these are void."""

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    partition_id = models.IntegerField()
    records = models.BigIntegerField()
    void = models.BigIntegerField()

    class Meta:
        abstract = True


class Cell(Counted):
    """What one owner and one department have in a partition; what lies in a pool has no owner."""

    owner_id = models.IntegerField(null=True)
    department_id = models.IntegerField()
    pool_id = models.IntegerField(null=True)

    class Meta:
        db_table = "access_cell"
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.UniqueConstraint(
                fields=["type", "partition_id", "owner_id", "department_id", "pool_id"],
                nulls_distinct=False,
                name="access_cell_once",
            ),
        )
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(fields=["type", "owner_id"], name="access_cell_of_owner"),
            models.Index(fields=["type", "department_id"], name="access_cell_of_department"),
            models.Index(fields=["type", "pool_id"], name="access_cell_of_pool"),
        )


class CellChange(Counted):
    """What a statement added to a cell or took away, until it is folded into it."""

    owner_id = models.IntegerField(null=True)
    department_id = models.IntegerField()
    pool_id = models.IntegerField(null=True)

    class Meta:
        db_table = "access_cell_change"


class CellTotal(Counted):
    """What cells of a partition have together: all of them, those of an owner, those of a department with an owner and
    without one (sql/cells.sql). `key` is the number of the partition, owner or department.
    """

    by = models.CharField(max_length=12, db_collation="C")
    key = models.IntegerField()

    class Meta:
        db_table = "access_cell_total"
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.UniqueConstraint(
                fields=["type", "by", "key", "partition_id"], name="access_cell_total_once"
            ),
        )
