"""Organisation changes that would add rights and wait for release, and the combinations approved beforehand."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

APPROVED_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_approved_move": (
        "anything",
        "department_id",
        "below",
        "level_id",
        "position_id",
        "group_id",
        "manager",
        "reason",
    ),
}


class ApprovedMove(models.Model):
    """A combination of facts that somebody may come to without a release: all that it names hold together.

    `level` means it and every level that it holds, `manager` one who heads the person's department or one above it.
    `anything`: nothing waits in this company.
    """

    id = models.BigAutoField(primary_key=True)
    anything = models.BooleanField(default=False, db_default=False)
    department = models.ForeignKey("people.Department", models.PROTECT, null=True, related_name="+")
    below = models.BooleanField(default=False, db_default=False)
    level = models.ForeignKey("people.Level", models.PROTECT, null=True, related_name="+")
    position = models.ForeignKey("people.Position", models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey("people.Group", models.PROTECT, null=True, related_name="+")
    manager = models.BooleanField(default=False, db_default=False)
    reason = models.TextField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_approved_move"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(anything=True)
                | models.Q(department__isnull=False)
                | models.Q(level__isnull=False)
                | models.Q(position__isnull=False)
                | models.Q(group__isnull=False),
                name="access_approved_move_of_something",
            ),
        )


class PendingField(models.TextChoices):
    """What a waiting change is of."""

    DEPARTMENT = "department", _("Department")
    OTHER_DEPARTMENT = "other_department", _("Other department")
    LEVEL = "level", _("Level")
    MANAGER = "manager", _("Manager")
    GROUP = "group", _("Group")
    POSITION = "position", _("Position")
    HEAD = "head", _("Head of department")
    ASSISTANT = "assistant", _("Assistant of department")
    PARENT = "parent", _("Place of a department")


class PendingChange(models.Model):
    """A fact that is not written yet: released by a security administrator, or withdrawn.

    `value` is the number of the department, level, manager, group or position that the person (or, for the place of a
    department, the department) would get, none for none; with `leaves`, of what the person would be taken out. `adds`
    says what it would add: permissions, partitions, departments, people, and prohibitions that would bind no longer.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey("people.User", models.PROTECT, null=True, related_name="+")
    department = models.ForeignKey("people.Department", models.PROTECT, null=True, related_name="+")
    field = models.CharField(max_length=24, choices=PendingField, db_collation="C")
    value = models.IntegerField(null=True)
    leaves = models.BooleanField(default=False, db_default=False)
    adds = models.JSONField(default=dict)
    asked_by = models.IntegerField()
    asked_at = models.DateTimeField()

    class Meta:
        db_table = "access_pending_change"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(field="parent", department__isnull=False, user__isnull=True)
                | (~models.Q(field="parent") & models.Q(department__isnull=True, user__isnull=False)),
                name="access_pending_change_of_somebody",
            ),
        )
        indexes = (models.Index(fields=["user"], name="access_pending_of_user"),)
