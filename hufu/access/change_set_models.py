"""Drafts of the policy, and what each published version said."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ChangeSet(models.Model):
    """A draft of definitions: what it says never changes; what becomes of it is decided once.

    `document` is JSON in the order in which it was written. `narrows` says that it proved to take away only; `outcome`
    is what its rehearsal found when it was submitted, as JSON.
    """

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("Waits for approval")
        PUBLISHED = "published", _("Published")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    class Risk(models.TextChoices):
        LOW = "low", _("Low risk")
        MEDIUM = "medium", _("Medium risk")
        HIGH = "high", _("High risk")

    number = models.IntegerField(primary_key=True)
    title = models.CharField(max_length=200)
    reason = models.TextField(blank=True, default="")
    author = models.IntegerField()
    base_version = models.IntegerField()
    document = models.TextField()
    narrows = models.BooleanField()
    risk = models.CharField(max_length=8, choices=Risk, db_collation="C")
    outcome = models.TextField(blank=True, default="")
    state = models.CharField(
        max_length=16, choices=State, default=State.SUBMITTED, db_default="submitted", db_collation="C"
    )
    submitted_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.IntegerField(null=True)
    decision = models.TextField(blank=True, default="", db_default="")
    version = models.IntegerField(null=True)

    class Meta:
        db_table = "access_change_set"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=["submitted", "published", "rejected", "withdrawn"]),
                name="access_change_set_state",
            ),
            models.CheckConstraint(
                condition=models.Q(state="submitted", decided_at__isnull=True, decided_by__isnull=True)
                | (
                    ~models.Q(state="submitted")
                    & models.Q(decided_at__isnull=False, decided_by__isnull=False)
                ),
                name="access_change_set_decided",
            ),
            models.CheckConstraint(
                condition=models.Q(state="published", version__isnull=False)
                | (~models.Q(state="published") & models.Q(version__isnull=True)),
                name="access_change_set_published",
            ),
        )


class VersionText(models.Model):
    """What a version of the policy says, as JSON: its definitions and its tests."""

    number = models.IntegerField(primary_key=True)
    document = models.TextField()
    change_set = models.OneToOneField(ChangeSet, models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "access_version_text"
