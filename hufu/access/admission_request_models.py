"""Who asks that one person may reach one record across the wall, and what the partition's owner answered."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from hufu.people.models import User


class AdmissionRequest(models.Model):
    """Somebody shared a record with a person who is not admitted to its partition, and asks that this share reach them.

    The share stands from the beginning and opens nothing until it is let across (`RecordShare.across_by`). What it
    says is kept here, too: whoever owns the partition decides by it and need not view the record. `ended_at` is when
    the share went away. Written by the functions of hufu/access/crossing_sql.py alone.
    """

    class Access(models.TextChoices):
        READ = "read", _("View")
        EDIT = "edit", _("View and edit")

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    partition = models.ForeignKey("access.Partition", models.PROTECT, related_name="+")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    access = models.CharField(max_length=8, choices=Access, db_collation="C")
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=500)
    share_id = models.BigIntegerField()
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    granted = models.BooleanField(null=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        db_table = "access_admission_request"
        constraints = (
            models.UniqueConstraint(
                fields=["type", "record_id", "user"],
                condition=models.Q(granted__isnull=True, ended_at__isnull=True),
                name="access_admission_request_open",
            ),
            models.CheckConstraint(
                condition=models.Q(granted__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | models.Q(granted__isnull=False, decided_by__isnull=False, decided_at__isnull=False),
                name="access_admission_request_decided",
            ),
        )
        indexes = (
            models.Index(fields=["asked_by", "asked_at"], name="access_admission_asked"),
            models.Index(fields=["share_id"], name="access_admission_share"),
        )
