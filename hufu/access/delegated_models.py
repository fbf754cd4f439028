"""Delegated administration: who may give some roles to the people of a part of the company."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

DELEGATED_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_delegated": ("user_id", "within_id", "reason"),
    "access_delegated_role": ("delegated_id", "role_id"),
}


class Delegated(models.Model):
    """Somebody who may give the listed roles, by name, to people whose main department is `within` or below it."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey("people.User", models.PROTECT, related_name="+")
    within = models.ForeignKey("people.Department", models.PROTECT, related_name="+")
    reason = models.TextField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_delegated"
        constraints = (models.UniqueConstraint(fields=["user", "within"], name="access_delegated_once"),)


class DelegatedRole(models.Model):
    """A role that may be given."""

    id = models.BigAutoField(primary_key=True)
    delegated = models.ForeignKey(Delegated, models.CASCADE, related_name="delegated_roles")
    role = models.ForeignKey("access.Role", models.PROTECT, related_name="+")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_delegated_role"
        constraints = (
            models.UniqueConstraint(fields=["delegated", "role"], name="access_delegated_role_once"),
        )
