"""What is granted, to whom, where, and what follows from it (reach)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from hufu.people.models import Department, Level, User

# What counts as policy and keeps its past (see hufu.core.schema.history_sql).
POLICY_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_partition": ("key", "name"),
    "access_role": ("key", "name", "description", "administrator"),
    "access_role_inherits": ("role_id", "inherits_id"),
    "access_grant": ("role_id", "permission", "scope"),
    "access_assignment": (
        "role_id",
        "user_id",
        "department_id",
        "below",
        "level_id",
        "starts_at",
        "ends_at",
        "reason",
        "given_by",
    ),
    "access_admission": (
        "partition_id",
        "user_id",
        "department_id",
        "below",
        "level_id",
        "can_create",
        "can_edit",
        "can_delete",
        "starts_at",
        "ends_at",
        "reason",
        "given_by",
    ),
}


class Partition(models.Model):
    """A walled part of the data; every business record lives in exactly one."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_partition"

    def __str__(self) -> str:
        return self.name


class Administrator(models.TextChoices):
    """Which of the three administrators (三员) a role makes; empty for business roles."""

    NONE = "", _("Business role")
    SYSTEM = "system", _("System administrator")
    SECURITY = "security", _("Security administrator")
    AUDIT = "audit", _("Audit administrator")


class Role(models.Model):
    """A named set of grants; may inherit from other roles."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    administrator = models.CharField(
        max_length=16, choices=Administrator, blank=True, default="", db_collation="C"
    )
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_role"

    def __str__(self) -> str:
        return self.name


class RoleInherits(models.Model):
    """`role` holds all that `inherits` holds. The graph has no cycle."""

    id = models.BigAutoField(primary_key=True)
    role = models.ForeignKey(Role, models.PROTECT, related_name="inherits_rows")
    inherits = models.ForeignKey(Role, models.PROTECT, related_name="inherited_by_rows")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_role_inherits"
        constraints = (
            models.UniqueConstraint(fields=["role", "inherits"], name="access_role_inherits_once"),
        )


class Grant(models.Model):
    """A permission with a scope inside a role. Several scopes of one permission unite."""

    id = models.BigAutoField(primary_key=True)
    role = models.ForeignKey(Role, models.PROTECT, related_name="grants")
    permission = models.CharField(max_length=80, db_collation="C")
    scope = models.CharField(max_length=32, db_collation="C")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_grant"
        constraints = (
            models.UniqueConstraint(fields=["role", "permission", "scope"], name="access_grant_once"),
        )


class GivenTo(models.Model):
    """Something given to a principal: a user, a department (alone or with those below) or a level."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+")
    below = models.BooleanField(default=False)
    level = models.ForeignKey(Level, models.PROTECT, null=True, related_name="+")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")
    given_by = models.IntegerField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        constraints = (
            models.CheckConstraint(
                condition=(
                    models.Q(user__isnull=False, department__isnull=True, level__isnull=True)
                    | models.Q(user__isnull=True, department__isnull=False, level__isnull=True)
                    | models.Q(user__isnull=True, department__isnull=True, level__isnull=False)
                ),
                name="%(app_label)s_%(class)s_one_principal",
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True)
                | models.Q(ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="%(app_label)s_%(class)s_term",
            ),
        )


class Assignment(GivenTo):
    """A role given to a principal."""

    role = models.ForeignKey(Role, models.PROTECT, related_name="assignments")

    class Meta(GivenTo.Meta):
        db_table = "access_assignment"


class Admission(GivenTo):
    """Rights in a partition given to a principal. Each of create, edit and delete implies read."""

    partition = models.ForeignKey(Partition, models.PROTECT, related_name="admissions")
    can_create = models.BooleanField(default=False)
    can_edit = models.BooleanField(default=False)
    can_delete = models.BooleanField(default=False)

    class Meta(GivenTo.Meta):
        db_table = "access_admission"


class Version(models.Model):
    """A published version of the policy."""

    number = models.IntegerField(primary_key=True)
    published_at = models.DateTimeField(db_default=Now())
    published_by = models.IntegerField()
    digest = models.CharField(max_length=64, db_collation="C")
    note = models.TextField(blank=True, default="")

    class Meta:
        db_table = "access_version"


class SystemActor(models.Model):
    """An actor declared in code that cannot sign in. Written at installation, read when reach is built."""

    id = models.IntegerField(primary_key=True)
    name = models.CharField(max_length=64, unique=True, db_collation="C")

    class Meta:
        db_table = "access_system_actor"


class SystemActorPermission(models.Model):
    """A permission of a system actor; some end with the first version of the policy."""

    id = models.BigAutoField(primary_key=True)
    actor = models.ForeignKey(SystemActor, models.CASCADE, related_name="permissions")
    permission = models.CharField(max_length=80, db_collation="C")
    until_first_version = models.BooleanField(default=False)

    class Meta:
        db_table = "access_system_actor_permission"


class Reach(models.Model):
    """When somebody's reach was built, and until when it holds without being built again."""

    user_id = models.IntegerField(primary_key=True)
    built_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_reach"


class ReachStale(models.Model):
    """Transactions that changed facts or policy and have not rebuilt reach yet; empty between transactions."""

    transaction = models.BigIntegerField(primary_key=True)

    class Meta:
        db_table = "access_reach_stale"


class Term(models.Model):
    """One term of somebody's reach. Terms are never merged into each other. Bitmaps are indexed by number."""

    pk = models.CompositePrimaryKey("user_id", "term")
    user_id = models.IntegerField()
    term = models.SmallIntegerField()
    read_partitions = models.BinaryField()
    create_partitions = models.BinaryField()
    edit_partitions = models.BinaryField()
    delete_partitions = models.BinaryField()
    owners = models.BinaryField()
    departments = models.BinaryField()
    departments_below = models.BinaryField()

    class Meta:
        db_table = "access_term"


class TermGrant(models.Model):
    """The scopes of one permission within a term, as a mask (see hufu.access.decision.scopes)."""

    pk = models.CompositePrimaryKey("user_id", "permission", "term")
    user_id = models.IntegerField()
    term = models.SmallIntegerField()
    permission = models.CharField(max_length=80, db_collation="C")
    scopes = models.SmallIntegerField()

    class Meta:
        db_table = "access_term_grant"
