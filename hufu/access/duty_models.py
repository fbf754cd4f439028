"""Separation of duties: roles that nobody may hold together."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

DUTY_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_duty": ("key", "name", "most", "tolerated_until", "tolerated_reason"),
    "access_duty_role": ("duty_id", "role_id"),
    "access_duty_exception": ("duty_id", "user_id", "roles"),
}


class Duty(models.Model):
    """A set of roles of which nobody holds more than `most` at the same time, by whatever ways.

    What stood against it when it was published is an exception of the people concerned, tolerated until a day.
    """

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    most = models.SmallIntegerField(default=1, db_default=1)
    tolerated_until = models.DateTimeField(null=True)
    tolerated_reason = models.TextField(blank=True, default="", db_default="")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_duty"
        constraints = (
            models.CheckConstraint(condition=models.Q(most__gte=1), name="access_duty_most_is_positive"),
            models.CheckConstraint(
                condition=models.Q(tolerated_until__isnull=True) | ~models.Q(tolerated_reason=""),
                name="access_duty_tolerated_with_reason",
            ),
        )

    def __str__(self) -> str:
        return self.name


class DutyRole(models.Model):
    """A role of a duty."""

    id = models.BigAutoField(primary_key=True)
    duty = models.ForeignKey(Duty, models.CASCADE, related_name="duty_roles")
    role = models.ForeignKey("access.Role", models.PROTECT, related_name="+")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_duty_role"
        constraints = (models.UniqueConstraint(fields=["duty", "role"], name="access_duty_role_once"),)


class DutyException(models.Model):
    """Somebody who held these roles of a duty together when it was published. It goes when they no longer do."""

    id = models.BigAutoField(primary_key=True)
    duty = models.ForeignKey(Duty, models.CASCADE, related_name="exceptions")
    user = models.ForeignKey("people.User", models.PROTECT, related_name="+")
    roles = ArrayField(models.IntegerField())
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_duty_exception"
        constraints = (models.UniqueConstraint(fields=["duty", "user"], name="access_duty_exception_once"),)
