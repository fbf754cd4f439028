"""What is granted, to whom, where, and what follows from it (reach)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from hufu.access.admission_request_models import AdmissionRequest as AdmissionRequest
from hufu.access.break_glass_models import GLASS_COLUMNS
from hufu.access.cell_models import Cell as Cell
from hufu.access.cell_models import CellChange as CellChange
from hufu.access.cell_models import CellTotal as CellTotal
from hufu.access.change_set_models import ChangeSet as ChangeSet
from hufu.access.change_set_models import VersionText as VersionText
from hufu.access.delegated_models import DELEGATED_COLUMNS
from hufu.access.delegation_models import DELEGATION_COLUMNS
from hufu.access.draft_models import WorkingDraft as WorkingDraft
from hufu.access.duplicate_models import DUPLICATE_COLUMNS
from hufu.access.duty_models import DUTY_COLUMNS
from hufu.access.pending_models import APPROVED_COLUMNS
from hufu.access.pool_models import POOL_COLUMNS
from hufu.access.pool_models import Pool as Pool
from hufu.access.pool_models import PoolHidden as PoolHidden
from hufu.access.pool_models import PoolMember as PoolMember
from hufu.access.pool_models import PoolReach as PoolReach
from hufu.access.request_models import APPROVER_COLUMNS
from hufu.access.shared_models import SharedRecord as SharedRecord
from hufu.access.task_models import TaskKind as TaskKind
from hufu.access.task_models import TaskShare as TaskShare
from hufu.people.models import Department, Group, Level, Position, Post, User

# How a principal stands in a row, and a gift's term.
GIVEN_TO = ("user_id", "group_id", "department_id", "below", "post", "position_id", "level_id")
TERM = ("starts_at", "ends_at", "reason", "given_by")
# What counts as policy and keeps its past (see hufu.core.schema.history_sql).
POLICY_COLUMNS: dict[str, tuple[str, ...]] = {
    "access_company": ("name", "mode"),
    "access_partition": ("key", "name"),
    "access_role": ("key", "name", "description", "administrator"),
    "access_role_inherits": ("role_id", "inherits_id"),
    "access_grant": ("role_id", "permission", "scope"),
    "access_field_rule": ("role_id", "type", "field", "mine", "others", "export"),
    "access_base_access": ("type", "access"),
    "access_assignment": ("role_id", *GIVEN_TO, *TERM),
    "access_admission": ("partition_id", *GIVEN_TO, "can_create", "can_edit", "can_delete", *TERM),
    "access_gate": ("key", "name", "conditions"),
    "access_gate_use": ("gate_id", "sign_in", "permission", "sensitivity", "role_id", *GIVEN_TO),
    "access_prohibition": ("permission", *GIVEN_TO, *TERM),
    "access_quota": ("key", "name", "counts", "per_hour", "per_day", "zone", "warn_at", *GIVEN_TO),
    **DUTY_COLUMNS,
    **DUPLICATE_COLUMNS,
    **APPROVED_COLUMNS,
    **DELEGATED_COLUMNS,
    "access_rule": (
        *("key", "name", "type", "access", "condition", "superiors", "territory", "parent_id"),
        *("starts_at", "ends_at"),
    ),
    "access_rule_to": ("rule_id", *GIVEN_TO),
    **DELEGATION_COLUMNS,
    **APPROVER_COLUMNS,
    **POOL_COLUMNS,
    **GLASS_COLUMNS,
}
# Who works on which record; it changes with the records, not with the policy, and keeps its past, too.
TEAM_COLUMNS = ("type", "record_id", "user_id", "access", "role")
SHARE_COLUMNS = ("type", "record_id", *GIVEN_TO, *TERM, "access", "superiors", "along_with_id", "across_by")


class Mode(models.TextChoices):
    """How a company is administered; chosen at set-up (see hufu.access.company)."""

    STANDARD = "standard", _("Standard mode")
    THREE = "three", _("Three-administrator mode")

    @property
    def conforms(self) -> bool:
        """Whether it separates duties as MLPS (等保) level 3 asks for."""
        return self is Mode.THREE


class Company(models.Model):
    """The company that this installation belongs to: one row, from set-up on."""

    id = models.IntegerField(primary_key=True)
    name = models.CharField(max_length=120, blank=True, default="")
    mode = models.CharField(max_length=16, choices=Mode, db_collation="C")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_company"
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="access_company_only_one"),
            models.CheckConstraint(
                condition=models.Q(mode__in=["standard", "three"]), name="access_company_mode"
            ),
        )

    def __str__(self) -> str:
        return self.name


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


class FieldRule(models.Model):
    """What a role says of a field of a type: for records that are one's own (`mine`), for others', and for export.

    It counts where the role holds view of the type, itself or by what it inherits (hufu.access.fields).
    """

    class Access(models.TextChoices):
        HIDDEN = "hidden", _("Hidden")
        MASKED = "masked", _("Masked")
        READ_ONLY = "read_only", _("Read only")
        EDITABLE = "editable", _("Editable")

    id = models.BigAutoField(primary_key=True)
    role = models.ForeignKey(Role, models.PROTECT, related_name="field_rules")
    type = models.CharField(max_length=40, db_collation="C")
    field = models.CharField(max_length=64, db_collation="C")
    mine = models.CharField(max_length=16, choices=Access, db_collation="C")
    others = models.CharField(max_length=16, choices=Access, db_collation="C")
    export = models.BooleanField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_field_rule"
        constraints = (
            models.UniqueConstraint(fields=["role", "type", "field"], name="access_field_rule_once"),
        )


class BaseAccess(models.Model):
    """What everybody who holds view (edit) of a type at any scope reaches of it. A type without a row is private."""

    class Access(models.TextChoices):
        PRIVATE = "private", _("Private")
        PUBLIC_READ = "public_read", _("Public read")
        PUBLIC_READ_WRITE = "public_read_write", _("Public read and write")

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, unique=True, db_collation="C")
    access = models.CharField(max_length=24, choices=Access, db_collation="C")
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_base_access"


PRINCIPALS = ("user", "group", "department", "position", "level")


def _exactly_one_principal() -> models.Q:
    """Return the condition that a row names exactly one principal."""
    condition = models.Q()
    for named in PRINCIPALS:
        condition |= models.Q(**{f"{kind}__isnull": kind != named for kind in PRINCIPALS})
    return condition


def _binds_one_thing() -> models.Q:
    """Return the condition that a use of a gate names exactly one thing."""

    def named(thing: str) -> models.Q:
        condition = models.Q(sign_in=thing == "sign_in", role__isnull=thing != "role")
        for text in ("permission", "sensitivity"):
            condition &= ~models.Q(**{text: ""}) if thing == text else models.Q(**{text: ""})
        for kind in PRINCIPALS:
            condition &= models.Q(**{f"{kind}__isnull": thing != kind})
        return condition

    condition = models.Q()
    for thing in ("sign_in", "permission", "sensitivity", "role", *PRINCIPALS):
        condition |= named(thing)
    return condition


class GivenTo(models.Model):
    """Something given to a principal.

    A principal is a user, a group, a department (alone or with those below), a post of departments (the head or the
    assistants of one, or of it and those below), a position, or a level.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    group = models.ForeignKey(Group, models.PROTECT, null=True, related_name="+")
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+")
    below = models.BooleanField(default=False, db_default=False)
    post = models.CharField(
        max_length=16, choices=Post, blank=True, default="", db_default="", db_collation="C"
    )
    position = models.ForeignKey(Position, models.PROTECT, null=True, related_name="+")
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
                condition=_exactly_one_principal(), name="%(app_label)s_%(class)s_one_principal"
            ),
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | models.Q(below=False, post=""),
                name="%(app_label)s_%(class)s_of_department",
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


class Gate(models.Model):
    """Conditions on where, when and how somebody acts (see hufu.access.decision.gates)."""

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    conditions = models.JSONField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_gate"

    def __str__(self) -> str:
        return self.name


class GateUse(models.Model):
    """What a gate binds: everybody's sign-in, one permission, the fields of one sensitivity, the paths through one
    role, or one principal."""

    id = models.BigAutoField(primary_key=True)
    gate = models.ForeignKey(Gate, models.PROTECT, related_name="uses")
    sign_in = models.BooleanField(default=False)
    permission = models.CharField(max_length=80, blank=True, default="", db_collation="C")
    sensitivity = models.CharField(max_length=16, blank=True, default="", db_default="", db_collation="C")
    role = models.ForeignKey(Role, models.PROTECT, null=True, related_name="+")
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
        db_table = "access_gate_use"
        constraints = (
            models.CheckConstraint(condition=_binds_one_thing(), name="access_gate_use_binds_one_thing"),
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | models.Q(below=False, post=""),
                name="access_gate_use_of_department",
            ),
        )


class Prohibition(GivenTo):
    """A permission, or all of a type (`customer.*`), forbidden to a principal; of a level, to exactly that level."""

    permission = models.CharField(max_length=80, db_collation="C")

    class Meta(GivenTo.Meta):
        db_table = "access_prohibition"


def _one_principal_or_everybody() -> models.Q:
    """Return the condition that a row names one principal, or none."""
    return _exactly_one_principal() | models.Q(**{f"{kind}__isnull": True for kind in PRINCIPALS})


class Quota(models.Model):
    """How often those whom it binds (a principal, or everybody) may use one permission in an hour, and in a day.

    `zone` says when days and hours begin; at `warn_at` per cent people are told. Without a limit it binds nobody.
    """

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, unique=True, db_collation="C")
    name = models.CharField(max_length=120)
    counts = models.CharField(max_length=80, db_collation="C")
    per_hour = models.IntegerField(null=True)
    per_day = models.IntegerField(null=True)
    zone = models.CharField(max_length=64, db_collation="C")
    warn_at = models.SmallIntegerField()
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
        db_table = "access_quota"
        constraints = (
            models.CheckConstraint(condition=_one_principal_or_everybody(), name="access_quota_binds_whom"),
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | models.Q(below=False, post=""),
                name="access_quota_of_department",
            ),
            models.CheckConstraint(
                condition=(models.Q(per_hour__isnull=True) | models.Q(per_hour__gte=0))
                & (models.Q(per_day__isnull=True) | models.Q(per_day__gte=0))
                & models.Q(warn_at__gte=1, warn_at__lte=100),
                name="access_quota_limits",
            ),
        )

    def __str__(self) -> str:
        return self.name


class QuotaUsed(models.Model):
    """What somebody used of a quota in the hour or day (`span`) that began then. The database alone writes it."""

    pk = models.CompositePrimaryKey("user_id", "quota_id", "span")
    user_id = models.IntegerField()
    quota_id = models.IntegerField()
    span = models.CharField(max_length=4, db_collation="C")
    begins = models.DateTimeField()
    used = models.BigIntegerField()

    class Meta:
        db_table = "access_quota_used"


class QuotaSeen(models.Model):
    """When a record last counted against somebody's quota: within one span it counts once. Written like QuotaUsed."""

    pk = models.CompositePrimaryKey("user_id", "quota_id", "record_id")
    user_id = models.IntegerField()
    quota_id = models.IntegerField()
    record_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "access_quota_seen"
        indexes = (models.Index(fields=["at"], name="access_quota_seen_at"),)


class TeamMember(models.Model):
    """A colleague in the related team of a record: a share of that record with a role.

    `access` edit covers view and edit, read covers view, for those who hold these permissions at any scope.
    """

    class Access(models.TextChoices):
        READ = "read", _("May view")
        EDIT = "edit", _("May view and edit")

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    access = models.CharField(max_length=8, choices=Access, db_collation="C")
    role = models.CharField(max_length=80, blank=True, default="")
    added_at = models.DateTimeField(db_default=Now())
    added_by = models.IntegerField()
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_team_member"
        constraints = (
            models.UniqueConstraint(fields=["type", "record_id", "user"], name="access_team_member_once"),
        )
        indexes = (models.Index(fields=["user", "type", "record_id"], name="access_team_of_user"),)


class RecordShare(GivenTo):
    """A record shared by hand with a principal: for view, or for view and edit, as long as its term lasts.

    `superiors`: also with those who stand above a recipient in the reporting line. `along_with` is the share of the
    record that this one belongs to, which took it along and takes it away. Whoever gave a share gains nothing by it.
    `across_by`: who let it reach across the wall, to one person who is not admitted to the partition (see
    AdmissionRequest).
    """

    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    access = models.CharField(max_length=8, choices=TeamMember.Access, db_collation="C")
    superiors = models.BooleanField(default=False, db_default=False)
    along_with = models.ForeignKey("self", models.CASCADE, null=True, related_name="taken_along")
    across_by = models.IntegerField(null=True)

    class Meta(GivenTo.Meta):
        db_table = "access_share"
        constraints = (  # type: ignore[assignment]
            *GivenTo.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(across_by__isnull=True)
                | models.Q(user__isnull=False, superiors=False, ends_at__isnull=False),
                name="access_share_across_to_one",
            ),
        )
        indexes = (models.Index(fields=["type", "record_id"], name="access_share_of_record"),)


class SharingRule(models.Model):
    """Records of an independent type that meet a condition are shared with its recipients (see decision.conditions).

    A territory is such a rule whose members also reach what matches the territories below it; without a condition it
    only holds others together. `superiors`: also with those who stand above a recipient in the reporting line.
    """

    id = models.IntegerField(primary_key=True)
    key = models.CharField(max_length=64, db_collation="C")
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=40, db_collation="C")
    access = models.CharField(max_length=8, choices=TeamMember.Access, db_collation="C")
    condition = models.JSONField(null=True)
    superiors = models.BooleanField(default=False, db_default=False)
    territory = models.BooleanField(default=False, db_default=False)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="below")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_rule"
        constraints = (
            models.UniqueConstraint(fields=["territory", "key"], name="access_rule_once"),
            models.CheckConstraint(
                condition=models.Q(territory=True)
                | models.Q(condition__isnull=False, parent__isnull=True, territory=False),
                name="access_rule_has_condition",
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True)
                | models.Q(ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="access_rule_term",
            ),
        )

    def __str__(self) -> str:
        return self.name


class RuleRecipient(models.Model):
    """With whom a rule shares, or a member of a territory: one principal."""

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey(SharingRule, models.PROTECT, related_name="recipients")
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
        db_table = "access_rule_to"
        constraints = (
            models.CheckConstraint(condition=_exactly_one_principal(), name="access_rule_to_one_principal"),
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | models.Q(below=False, post=""),
                name="access_rule_to_of_department",
            ),
        )


class RulePart(models.Model):
    """One of the alternatives of a rule's condition, built with reach: all of its literals hold.

    `owners` and `departments` are the owners and departments of records for which those about these hold; NULL where
    there are none. `by_fields`: the records are those of RuleMatch.
    """

    id = models.AutoField(primary_key=True)
    rule_id = models.IntegerField()
    type = models.CharField(max_length=40, db_collation="C")
    literals = models.JSONField()
    owners = models.BinaryField(null=True)
    departments = models.BinaryField(null=True)
    by_fields = models.BooleanField()

    class Meta:
        db_table = "access_rule_part"
        indexes = (models.Index(fields=["rule_id"], name="access_rule_part_of"),)


class RuleMatch(models.Model):
    """A record whose fields meet all literals of a part that are about fields; kept by triggers of each type.

    `updated_at` is that of the record, by which lists take the first of a part; the others say in which cell it is, of
    a record in the bin only the partition.
    """

    pk = models.CompositePrimaryKey("part", "record_id")
    part = models.IntegerField()
    record_id = models.BigIntegerField()
    updated_at = models.DateTimeField()
    partition_id = models.IntegerField(null=True)
    owner_id = models.IntegerField(null=True)
    department_id = models.IntegerField(null=True)
    pool_id = models.IntegerField(null=True)

    class Meta:
        db_table = "access_rule_match"
        indexes = (
            models.Index(fields=["record_id"], name="access_rule_match_of_record"),
            models.Index(fields=["part", "updated_at", "record_id"], name="access_rule_match_in_order"),
        )


class RuleReach(models.Model):
    """Whom a rule reaches, whenever it is in force; built with reach."""

    pk = models.CompositePrimaryKey("user_id", "rule_id")
    user_id = models.IntegerField()
    rule_id = models.IntegerField()

    class Meta:
        db_table = "access_rule_reach"
        indexes = (models.Index(fields=["rule_id"], name="access_rule_reach_of_rule"),)


class Version(models.Model):
    """A published version of the policy."""

    number = models.IntegerField(primary_key=True)
    published_at = models.DateTimeField(db_default=Now())
    published_by = models.IntegerField()
    digest = models.CharField(max_length=64, db_collation="C")
    note = models.TextField(blank=True, default="")

    class Meta:
        db_table = "access_version"


class Change(models.Model):
    """A transaction that changed facts or policy; numbers are dense and in the order of commit.

    `at` is when it was committed, `version` the published version of the policy that stood then, 0 for none.
    Where people were entered before changes had numbers, number 0 says since when the past is known.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.IntegerField(null=True)
    version = models.IntegerField()
    transaction = models.BigIntegerField(null=True)

    class Meta:
        db_table = "access_change"
        indexes = (models.Index(fields=["at"], name="access_change_at"),)


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
    """Until when somebody's reach holds without being built again, and when that was found (`built_at`)."""

    user_id = models.IntegerField(primary_key=True)
    built_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_reach"


class ReachStale(models.Model):
    """Transactions that changed facts or policy and have not rebuilt reach yet; empty between transactions."""

    transaction = models.BigIntegerField(primary_key=True)
    # What is to be made anew, a mask (hufu.part_of_reach).
    parts = models.IntegerField(db_default=7)

    class Meta:
        db_table = "access_reach_stale"


class Term(models.Model):
    """One term of somebody's reach. Terms are never merged into each other. Bitmaps are indexed by number."""

    pk = models.CompositePrimaryKey("user_id", "term")
    user_id = models.IntegerField()
    term = models.SmallIntegerField()
    # Whose position in the company it is: the user's own, or that of somebody for whom they stand in.
    holder_id = models.IntegerField()
    read_partitions = models.BinaryField()
    create_partitions = models.BinaryField()
    edit_partitions = models.BinaryField()
    delete_partitions = models.BinaryField()
    owners = models.BinaryField()
    reports = models.BinaryField()
    departments = models.BinaryField()
    departments_below = models.BinaryField()
    # The gates of the roles on its paths, in order: all must be open.
    gates = ArrayField(models.IntegerField(), db_default=models.Value([], ArrayField(models.IntegerField())))

    class Meta:
        db_table = "access_term"


class PrincipalOf(models.Model):
    """What each person stands for, as one text per principal (hufu.principal); built with their reach."""

    pk = models.CompositePrimaryKey("user_id", "principal")
    user_id = models.IntegerField()
    principal = models.CharField(max_length=40, db_collation="C")

    class Meta:
        db_table = "access_principal"
        indexes = (models.Index(fields=["principal", "user_id"], name="access_principal_whose"),)


class TermGrant(models.Model):
    """The scopes of one permission within a term, as a mask (see hufu.access.decision.scopes)."""

    pk = models.CompositePrimaryKey("user_id", "permission", "term")
    user_id = models.IntegerField()
    term = models.SmallIntegerField()
    permission = models.CharField(max_length=80, db_collation="C")
    scopes = models.SmallIntegerField()

    class Meta:
        db_table = "access_term_grant"
        # Who holds a permission, out of everybody.
        indexes = (
            models.Index(
                fields=["permission", "user_id"], include=["term", "scopes"], name="access_term_grant_whose"
            ),
        )


class ReportingLogin(models.Model):
    """Somebody's own login to the database, for reporting tools (see hufu.access.reporting). The login itself, and its
    password, is the server's."""

    user = models.OneToOneField(User, models.PROTECT, primary_key=True, related_name="+")
    opened_at = models.DateTimeField()
    opened_by = models.IntegerField()
    ends_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500)

    class Meta:
        db_table = "access_reporting_login"


class TermField(models.Model):
    """What the field rules on the paths of a term say together, as levels (see hufu.access.decision.field_access)."""

    pk = models.CompositePrimaryKey("user_id", "term", "type", "field")
    user_id = models.IntegerField()
    term = models.SmallIntegerField()
    type = models.CharField(max_length=40, db_collation="C")
    field = models.CharField(max_length=64, db_collation="C")
    mine = models.SmallIntegerField()
    others = models.SmallIntegerField()
    export = models.BooleanField()

    class Meta:
        db_table = "access_term_field"
