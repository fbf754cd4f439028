"""Break-glass: who may open what at once, in an emergency; who did, and who looked at it afterwards."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from hufu.people.models import User

GLASS_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_break_glass": ("key", "name", "role_id", "types", "partitions", "access", "minutes"),
    "access_break_glass_use": ("user_id", "rule_id", "starts_at", "ends_at", "reason"),
}
MOST_MINUTES = 480


class BreakGlass(models.Model):
    """Holders of `role` may open all records of these types to themselves, where they are admitted, for some minutes.

    `partitions` narrows where; empty is wherever they are admitted.
    """

    class Access(models.TextChoices):
        READ = "read", _("View")
        EDIT = "edit", _("View and edit")

    # From a sequence: no number comes back, or what was opened by a rule that is gone would be open again.
    id = models.AutoField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    role = models.ForeignKey("access.Role", models.PROTECT, related_name="+")
    types = ArrayField(models.CharField(max_length=40, db_collation="C"))
    partitions = ArrayField(models.IntegerField())
    access = models.CharField(max_length=8, choices=Access, db_collation="C")
    minutes = models.IntegerField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_break_glass"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(minutes__gte=1, minutes__lte=MOST_MINUTES)
                & models.Q(access__in=["read", "edit"])
                & ~models.Q(types=[]),
                name="access_break_glass_bounds",
            ),
        )


class BreakGlassUse(models.Model):
    """Somebody opened it, with a reason. It ends by itself; nothing but a nearer end is ever written to it.

    It gives a term of reach of its own, as long as the rule stands and its user holds the role.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    # No key of the rules: what was used outlives its rule.
    rule_id = models.IntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.TextField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_break_glass_use"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")) & ~models.Q(reason=""),
                name="access_break_glass_use_term",
            ),
        )
        indexes = (models.Index(fields=["user", "ends_at"], name="access_glass_use_of_user"),)


class BreakGlassReview(models.Model):
    """What somebody else found who looked at a use afterwards."""

    use = models.OneToOneField(BreakGlassUse, models.PROTECT, primary_key=True, related_name="review")
    reviewed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()
    finding = models.TextField()

    class Meta:
        db_table = "access_break_glass_review"
