"""Who asks for access, what was decided, and who decides: requests are kept for good, and none is changed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from hufu.people.models import Department, Group, Level, Position, Post, User

GIVEN_TO = ("user_id", "group_id", "department_id", "below", "post", "position_id", "level_id")
APPROVER_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_approver": ("type", "partition_id", "role_id", "by", "by_role_id", *GIVEN_TO)
}


class _WithoutRecord(models.Manager["AccessRequest"]):
    def get_queryset(self) -> models.QuerySet[AccessRequest]:
        return super().get_queryset().defer("record_id")


class AccessRequest(models.Model):
    """Somebody asks to view (or also edit) a record until a day, or for a permission.

    `number` is what stood in the address, whatever it was; `record_id` the same as far as a record can have it.
    INVARIANT: nothing here says whether there is such a record. The exception is a request to join what a duplicate
    check of theirs found (`hit`): it has no `number`, and whoever asked is not shown which record it is. The
    application does not read `record_id`: whoever decides gets it from the database (`requests.to_decide`, `waiting`).
    """

    class Access(models.TextChoices):
        READ = "read", _("View")
        EDIT = "edit", _("View and edit")

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    type = models.CharField(max_length=40, blank=True, default="", db_default="", db_collation="C")
    number = models.CharField(max_length=40, blank=True, default="", db_default="", db_collation="C")
    record_id = models.BigIntegerField(null=True)
    hit = models.BigIntegerField(null=True)
    access = models.CharField(
        max_length=8, choices=Access, blank=True, default="", db_default="", db_collation="C"
    )
    permission = models.CharField(max_length=80, blank=True, default="", db_default="", db_collation="C")
    reason = models.CharField(max_length=500)
    until = models.DateTimeField()
    asked_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    objects = _WithoutRecord()

    class Meta:
        db_table = "access_request"
        constraints = (
            models.CheckConstraint(
                condition=(models.Q(permission="") & ~models.Q(type="") & ~models.Q(access=""))
                | (~models.Q(permission="") & models.Q(type="", record_id__isnull=True)),
                name="access_request_for_one_thing",
            ),
        )
        indexes = (models.Index(fields=["user", "asked_at"], name="access_request_of_user"),)


class RequestDecision(models.Model):
    """What somebody decided on a request, once. `told`: whoever asked may know of it.

    A granted one names the share that opens the record, or the assignment of the role; either ends at `ends_at`.
    """

    request = models.OneToOneField(AccessRequest, models.PROTECT, primary_key=True, related_name="decision")
    granted = models.BooleanField()
    told = models.BooleanField()
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    ends_at = models.DateTimeField(null=True)
    share_id = models.BigIntegerField(null=True)
    role_id = models.IntegerField(null=True)
    assignment_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "access_request_decision"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(granted=False, share_id__isnull=True, assignment_id__isnull=True)
                | models.Q(granted=True, told=True, ends_at__isnull=False, share_id__isnull=False)
                | models.Q(granted=True, told=True, ends_at__isnull=False, assignment_id__isnull=False),
                name="access_request_decision_gives_or_not",
            ),
        )
        indexes = (models.Index(fields=["share_id"], name="access_request_share"),)


class Approver(models.Model):
    """Who decides about requests on records of a type (of one partition, or of all), or about requests for a role; or
    (neither type nor role) who owns a partition.

    `by` says who: the record's owner, those above the owner or above whoever asks in the reporting line, the holders
    of a role (`by_role`), or a principal. It gives no right: whoever decides shares, or gives the role, themselves.
    The one exception are owners of a partition: they let single shares reach across its wall (AdmissionRequest).
    """

    class By(models.TextChoices):
        OWNER = "owner", _("The record's owner")
        MANAGER_OF_OWNER = "manager_of_owner", _("Those above the owner")
        MANAGER_OF_REQUESTER = "manager_of_requester", _("Those above whoever asks")
        ROLE = "role", _("Holders of a role")
        NAMED = "named", _("Named people")

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, blank=True, default="", db_default="", db_collation="C")
    partition = models.ForeignKey("access.Partition", models.PROTECT, null=True, related_name="+")
    role = models.ForeignKey("access.Role", models.PROTECT, null=True, related_name="+")
    by = models.CharField(max_length=24, choices=By, db_collation="C")
    by_role = models.ForeignKey("access.Role", models.PROTECT, null=True, related_name="+")
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
        db_table = "access_approver"
        constraints = (
            models.CheckConstraint(
                condition=(~models.Q(type="") & models.Q(role__isnull=True))
                | (
                    models.Q(type="", role__isnull=False, partition__isnull=True)
                    & ~models.Q(by__in=["owner", "manager_of_owner"])
                )
                | models.Q(type="", role__isnull=True, partition__isnull=False, by__in=["role", "named"]),
                name="access_approver_of_one_thing",
            ),
            models.CheckConstraint(
                condition=models.Q(by="role", by_role__isnull=False)
                | (~models.Q(by="role") & models.Q(by_role__isnull=True)),
                name="access_approver_role",
            ),
            models.CheckConstraint(
                condition=~models.Q(by="named")
                | models.Q(user__isnull=False)
                | models.Q(group__isnull=False)
                | models.Q(department__isnull=False)
                | models.Q(position__isnull=False)
                | models.Q(level__isnull=False),
                name="access_approver_named",
            ),
        )
