"""Pools (公海): where records without owner lie, who may claim them, and what is hidden until then."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from hufu.people.models import Department, Group, Level, Position, Post, User

PRINCIPALS = ("user", "group", "department", "position", "level")
POOL_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_pool": ("key", "name", "type", "partition_id"),
    "access_pool_member": (
        *("pool_id", "user_id", "group_id", "department_id", "below", "post", "position_id", "level_id"),
    ),
    "access_pool_hidden": ("pool_id", "type", "field"),
}


def _exactly_one_principal() -> models.Q:
    condition = models.Q()
    for named in PRINCIPALS:
        condition |= models.Q(**{f"{kind}__isnull": kind != named for kind in PRINCIPALS})
    return condition


class Pool(models.Model):
    """A pool of records of one type in one partition; neither of the two ever changes."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=40, db_collation="C")
    partition = models.ForeignKey("access.Partition", models.PROTECT, related_name="+")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_pool"
        # What lies in a pool lives in its partition: records name both.
        constraints = (models.UniqueConstraint(fields=["partition", "id"], name="access_pool_in_partition"),)

    def __str__(self) -> str:
        return self.name


class PoolMember(models.Model):
    """A member of a pool: one principal."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(Pool, models.PROTECT, related_name="members")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(Group, models.PROTECT, null=True, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+")
    below = models.BooleanField(default=False, db_default=False)
    post = models.CharField(
        max_length=16, choices=Post, blank=True, default="", db_default="", db_collation="C"
    )
    position = models.ForeignKey(Position, models.PROTECT, null=True, related_name="+")
    level = models.ForeignKey(Level, models.PROTECT, null=True, related_name="+")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_pool_member"
        constraints = (
            models.CheckConstraint(
                condition=_exactly_one_principal(), name="access_pool_member_one_principal"
            ),
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | models.Q(below=False, post=""),
                name="access_pool_member_of_department",
            ),
        )


class PoolHidden(models.Model):
    """A field that is hidden on the records in a pool: of the pool's type, or of one that follows it."""

    id = models.BigAutoField(primary_key=True)
    pool = models.ForeignKey(Pool, models.PROTECT, related_name="hidden")
    type = models.CharField(max_length=40, db_collation="C")
    field = models.CharField(max_length=64, db_collation="C")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_pool_hidden"
        constraints = (
            models.UniqueConstraint(fields=["pool", "type", "field"], name="access_pool_hidden_once"),
        )


class PoolReach(models.Model):
    """Of which pools somebody is a member; built with reach."""

    pk = models.CompositePrimaryKey("user_id", "pool_id")
    user_id = models.IntegerField()
    pool_id = models.IntegerField()

    class Meta:
        db_table = "access_pool_reach"
        indexes = (models.Index(fields=["pool_id"], name="access_pool_reach_of_pool"),)
