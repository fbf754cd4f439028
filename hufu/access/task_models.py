"""Approval tasks that are pending: each is a share of view with its assignee, and holds the record meanwhile."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from hufu.people.models import User

TASK_COLUMNS = ("type", "record_id", "kind", "user_id", "opened_by")


class TaskShare(models.Model):
    """A pending task about a record, of somebody: they view it, and nobody changes it, until the task ends.

    Rows are added by one deed and deleted by another, never changed; the past is kept. `kind` is one of those that
    the code declares (hufu.access.task_kinds).
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    kind = models.CharField(max_length=80, db_collation="C")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_by = models.IntegerField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_task"
        constraints = (
            models.UniqueConstraint(fields=["type", "record_id", "kind", "user"], name="access_task_once"),
        )
        indexes = (models.Index(fields=["user", "type", "record_id"], name="access_task_of_user"),)


class TaskKind(models.Model):
    """What opens tasks on records of a type, and the permission on the record that whoever starts it needs.

    The list of the code, for the database; nothing else is in it, and nobody writes it.
    """

    kind = models.CharField(max_length=80, primary_key=True, db_collation="C")
    type = models.CharField(max_length=40, db_collation="C")
    permission = models.CharField(max_length=80, db_collation="C")

    class Meta:
        db_table = "access_task_kind"
