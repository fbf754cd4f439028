"""Who stands in for whom: permissions that somebody lends to a colleague for a while."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from hufu.people.models import User

DELEGATION_COLUMNS = {
    "access_delegation": ("delegator_id", "user_id", "permissions", "starts_at", "ends_at", "reason")
}


class Delegation(models.Model):
    """`user` acts for `delegator` with the named permissions, as far as the delegator holds them, until it ends.

    It gives a term of reach of its own: what the delegator holds, never mixed with what the user holds. Nothing
    follows from it for anybody else. Rows are added and deleted, never changed; the past is kept.
    """

    id = models.BigAutoField(primary_key=True)
    delegator = models.ForeignKey(User, models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    permissions = ArrayField(models.CharField(max_length=80, db_collation="C"))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.TextField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_delegation"
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(delegator=models.F("user")), name="access_delegation_to_another"
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")), name="access_delegation_term"
            ),
            models.CheckConstraint(
                condition=~models.Q(permissions=[]), name="access_delegation_of_something"
            ),
        )
