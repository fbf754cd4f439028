"""What duplicate checks found, what the steward looks after, and what colleagues dispute."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class DuplicateHit(models.Model):
    """A record that somebody's duplicate check found, and what they were told of it.

    Only functions of the database read and write it: whoever asked gets it without the record's number.
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    partition_id = models.IntegerField()
    fields = ArrayField(models.CharField(max_length=64, db_collation="C"))
    told = models.JSONField()
    found_at = models.DateTimeField()
    found_by = models.IntegerField()

    class Meta:
        db_table = "crm_duplicate_hit"
        indexes = (
            models.Index(fields=["found_by", "-found_at"], name="duplicate_hit_mine"),
            models.Index(fields=["type", "record_id"], name="duplicate_hit_record"),
            models.Index(fields=["found_at"], name="duplicate_hit_age"),
        )


class Duplicate(models.Model):
    """Two records of a partition with the same value of a field, for the steward. `record_id` is the younger one.

    A trigger enters what is found when a record is written; nobody who writes one learns of it.
    """

    class State(models.TextChoices):
        OPEN = "", "open"
        NOT_ONE = "not_one", "not a duplicate"
        MERGE = "merge", "to be merged"

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    other_id = models.BigIntegerField()
    partition_id = models.IntegerField()
    field = models.CharField(max_length=64, db_collation="C")
    found_at = models.DateTimeField()
    found_by = models.IntegerField(null=True)
    state = models.CharField(max_length=16, choices=State, blank=True, default="", db_collation="C")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.IntegerField(null=True)

    class Meta:
        db_table = "crm_duplicate"
        constraints = (
            models.UniqueConstraint(
                fields=["type", "record_id", "other_id", "field"], name="crm_duplicate_once"
            ),
        )
        indexes = (
            models.Index(fields=["state", "-id"], name="duplicate_state"),
            models.Index(fields=["type", "other_id"], name="duplicate_other"),
        )


class DuplicateDispute(models.Model):
    """Somebody says that a record that a check found should be theirs, or is wrong; the steward looks into it.

    Whoever disputed learns the outcome and the answer by a function of the database, without the record's number.
    """

    class Outcome(models.TextChoices):
        AGREED = "agreed", _("You are right")
        KEPT = "kept", _("It stays as it is")

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    partition_id = models.IntegerField()
    fields = ArrayField(models.CharField(max_length=64, db_collation="C"))
    reason = models.CharField(max_length=500)
    raised_at = models.DateTimeField()
    raised_by = models.IntegerField()
    answer = models.CharField(max_length=500, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.IntegerField(null=True)
    outcome = models.CharField(
        max_length=16, choices=Outcome, blank=True, default="", db_default="", db_collation="C"
    )

    class Meta:
        db_table = "crm_duplicate_dispute"
        indexes = (
            models.Index(fields=["type", "record_id"], name="duplicate_dispute_record"),
            models.Index(fields=["raised_by"], name="duplicate_dispute_mine"),
        )
