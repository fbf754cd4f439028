"""Business records. Their rows are reached through the guard alone."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Upper

from hufu.access.models import Partition
from hufu.access.pool_models import Pool
from hufu.core.vault.fields import SealedText
from hufu.crm.duplicate_models import Duplicate as Duplicate
from hufu.crm.duplicate_models import DuplicateDispute as DuplicateDispute
from hufu.crm.duplicate_models import DuplicateHit as DuplicateHit
from hufu.people.models import Department, User


def exclusive_key(column: str) -> Upper:
    """Return how an exclusive code is compared: without spaces and hyphens, in capitals (hufu.crm.duplicates.sql)."""
    return Upper(Func(F(column), Value(" -"), Value(""), function="translate"))


# What a list looks at in each record that it passes.
PASSED = ("partition", "owner", "department", "deleted_at", "voided_at")
# What else every list can be ordered by, narrowed to and searched for.
LISTED = ("name", "name_sort", "name_initials", "created_at", "locked_at", "pending_tasks")


def stream(*fields: str, name: str, kept: tuple[str, ...] = (), **more: Any) -> models.Index:
    """Return the index of an ordered stream: it holds all that decides whether a list keeps what it passes."""
    include = [each for each in (*PASSED, *kept) if each.removeprefix("-") not in fields]
    return models.Index(fields=fields, include=include, name=name, **more)


def held_streams(*listed: str) -> tuple[models.Index, ...]:
    """Return the indexes of what an owner has, and a department within each partition.

    They hold all by which a list can be ordered, narrowed and searched (`listed` beside what every type has): whoever
    views some thousands of many millions reads nothing else, whatever they ask for.
    """
    kept = (*LISTED, *listed)
    return (
        stream("owner", "-updated_at", "-id", name="%(class)s_owner", kept=kept),
        stream("department", "partition", "-updated_at", "-id", name="%(class)s_department", kept=kept),
    )


class GuardedManager(models.Manager[Any]):
    """Refuses every query: business rows come from hufu.access.guard."""

    def get_queryset(self) -> NoReturn:
        raise RuntimeError("Business rows are read through hufu.access.guard, never through .objects.")


class Record(models.Model):
    """What every record has: its partition, name, times, and a lock.

    `id` is taken from the table's sequence before the insert. `lock_version` counts changes: a deed names the
    version it was decided on. `deleted_at` marks what lies in the bin.
    """

    id = models.BigIntegerField(primary_key=True)
    partition = models.ForeignKey(Partition, models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=120, null=True, db_collation="C")
    created_at = models.DateTimeField()
    created_by_id = models.IntegerField()
    updated_at = models.DateTimeField()
    updated_by_id = models.IntegerField()
    lock_version = models.IntegerField(default=1)
    name = models.CharField(max_length=200, db_collation="C")
    name_sort = models.CharField(max_length=240, db_collation="C")
    name_initials = models.CharField(max_length=120, db_collation="C")
    deleted_at = models.DateTimeField(null=True)
    deleted_by_id = models.IntegerField(null=True)

    objects: ClassVar[GuardedManager] = GuardedManager()

    class Meta:
        abstract = True
        base_manager_name = "rows"

    def __str__(self) -> str:
        return self.name


class BusinessRecord(Record):
    """A record of an independent type: it has its own owner and department (归属部门)."""

    owner = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", db_index=False)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", db_index=False)
    # Its states (hufu.access.states): since when, by whom and why; how many approval tasks hold it.
    voided_at = models.DateTimeField(null=True)
    voided_by_id = models.IntegerField(null=True)
    void_reason = models.CharField(max_length=500, blank=True, default="")
    locked_at = models.DateTimeField(null=True)
    locked_by_id = models.IntegerField(null=True)
    lock_reason = models.CharField(max_length=500, blank=True, default="")
    pending_tasks = models.IntegerField(default=0)

    class Meta(Record.Meta):
        abstract = True
        # One ordered stream per partition, and one over all for each order: with those of owners and departments
        # (`held_streams`) lists are merged from these (hufu/access/sql/lists.sql). No foreign key needs one of its own.
        indexes: ClassVar[tuple[models.Index, ...]] = (
            stream("partition", "-updated_at", "-id", name="%(class)s_partition"),
            stream("-updated_at", "-id", name="%(class)s_updated"),
            stream("created_at", "id", name="%(class)s_created"),
            stream("name_sort", "id", name="%(class)s_sort"),
            models.Index(fields=["name"], name="%(class)s_name"),
            models.Index(fields=["name_initials"], name="%(class)s_initials"),
            models.Index(fields=["external_id"], name="%(class)s_external_id"),
        )


class PooledRecord(BusinessRecord):
    """A record of a type that declares itself pooled: it has an owner, or lies in a pool of its partition.

    The database keeps its partition equal to the pool's (migration 0008).
    """

    pool = models.ForeignKey(
        Pool, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta(BusinessRecord.Meta):
        abstract = True
        indexes: ClassVar[tuple[models.Index, ...]] = (
            *BusinessRecord.Meta.indexes,
            models.Index(
                fields=["pool", "-updated_at", "-id"],
                condition=models.Q(pool__isnull=False),
                name="%(class)s_pool",
            ),
        )
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                condition=models.Q(owner__isnull=False, pool__isnull=True)
                | models.Q(owner__isnull=True, pool__isnull=False),
                name="%(class)s_owner_or_pool",
            ),
        )


class Customer(PooledRecord):
    """A company or a person that one sells to."""

    customer_level = models.CharField(max_length=16, blank=True, default="", db_collation="C")
    stage = models.CharField(max_length=32, db_collation="C")
    industry = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    source = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    region = models.CharField(max_length=80, blank=True, default="", db_collation="C")
    code = models.CharField(max_length=32, blank=True, default="", db_collation="C")
    # It shared its code with another one when codes became exclusive, and does until either changes.
    code_repeated = models.BooleanField(default=False)
    phone = SealedText(blank=True, default="")
    phone_index = models.BinaryField(null=True)
    phone_last_index = models.BinaryField(null=True)
    website = models.CharField(max_length=200, blank=True, default="", db_collation="C")
    address = models.CharField(max_length=300, blank=True, default="")
    employees = models.IntegerField(null=True)
    annual_revenue = models.BigIntegerField(null=True)
    founded = models.SmallIntegerField(null=True)
    parent_company = models.CharField(max_length=200, blank=True, default="")
    note = models.TextField(blank=True, default="")

    rows: ClassVar[models.Manager[Customer]] = models.Manager()

    class Meta(PooledRecord.Meta):
        db_table = "crm_customer"
        indexes: ClassVar[tuple[models.Index, ...]] = (
            *PooledRecord.Meta.indexes,
            *held_streams("customer_level", "stage", "industry", "source"),
            stream("customer_level", "id", name="customer_level_stream"),
            models.Index(fields=["code"], name="customer_code"),
            models.Index(fields=["phone_index"], name="customer_phone"),
            models.Index(fields=["phone_last_index"], name="customer_phone_last"),
        )
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            *PooledRecord.Meta.constraints,
            models.UniqueConstraint(fields=["partition", "id"], name="crm_customer_in_partition"),
            models.UniqueConstraint(fields=["partition", "external_id"], name="crm_customer_external"),
            models.UniqueConstraint(
                F("partition"),
                exclusive_key("code"),
                condition=models.Q(deleted_at__isnull=True, code_repeated=False) & ~models.Q(code=""),
                name="crm_customer_code_exclusive",
            ),
        )


class Opportunity(BusinessRecord):
    """A chance to sell. Independent: it has its own owner and department, and may have no customer."""

    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    stage = models.CharField(max_length=32, db_collation="C")
    product = models.CharField(max_length=120, blank=True, default="", db_collation="C")
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="CNY", db_collation="C")
    opened_on = models.DateField(null=True)
    expected_close = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    note = models.TextField(blank=True, default="")

    rows: ClassVar[models.Manager[Opportunity]] = models.Manager()

    class Meta(BusinessRecord.Meta):
        db_table = "crm_opportunity"
        indexes: ClassVar[tuple[models.Index, ...]] = (
            *BusinessRecord.Meta.indexes,
            *held_streams("stage", "customer", "amount", "expected_close"),
            stream("amount", "id", name="opportunity_amount"),
            stream("expected_close", "id", name="opportunity_close"),
            models.Index(fields=["customer"], name="opportunity_customer"),
        )
        constraints = (
            # No pool for these: each has an owner.
            models.CheckConstraint(condition=models.Q(owner__isnull=False), name="opportunity_owner"),
            models.UniqueConstraint(fields=["partition", "id"], name="crm_opportunity_in_partition"),
            models.UniqueConstraint(fields=["partition", "external_id"], name="crm_opportunity_external"),
        )


class Contact(Record):
    """A person at a customer. Follows the customer: whoever may view (edit) that may view (edit) this.

    The database keeps its partition equal to the customer's (migration 0002).
    """

    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    title = models.CharField(max_length=80, blank=True, default="")
    decision_role = models.CharField(max_length=16, blank=True, default="", db_collation="C")
    phone = SealedText(blank=True, default="")
    phone_index = models.BinaryField(null=True)
    phone_last_index = models.BinaryField(null=True)
    email = SealedText(blank=True, default="")
    wechat = SealedText(blank=True, default="")
    id_number = SealedText(blank=True, default="")
    id_number_index = models.BinaryField(null=True)
    address = SealedText(blank=True, default="")
    note = models.TextField(blank=True, default="")

    rows: ClassVar[models.Manager[Contact]] = models.Manager()

    class Meta(Record.Meta):
        db_table = "crm_contact"
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(fields=["customer", "-updated_at", "-id"], name="contact_customer"),
            models.Index(fields=["-updated_at", "-id"], name="contact_updated"),
            models.Index(fields=["name_sort", "id"], name="contact_sort"),
            models.Index(fields=["name"], name="contact_name"),
            models.Index(fields=["name_initials"], name="contact_initials"),
            models.Index(fields=["phone_index"], name="contact_phone"),
            models.Index(fields=["phone_last_index"], name="contact_phone_last"),
            models.Index(fields=["id_number_index"], name="contact_id_number"),
        )
        constraints = (
            models.UniqueConstraint(fields=["partition", "external_id"], name="crm_contact_external"),
        )


class Attachment(models.Model):
    """A file of a record: what it is called and the key that opens it; its bytes lie sealed in a folder.

    Rows are added and removed, never changed otherwise; they go with their record. A removed one has no key any more.
    Row policies give them to whoever may view the record (hufu.crm.attachments).
    """

    id = models.BigAutoField(primary_key=True)
    type = models.CharField(max_length=40, db_collation="C")
    record_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    media = models.CharField(max_length=100, db_collation="C")
    size = models.BigIntegerField()
    digest = models.CharField(max_length=64, db_collation="C")
    file = models.UUIDField(unique=True)
    key = SealedText(blank=True, default="")
    added_at = models.DateTimeField()
    added_by = models.IntegerField()
    removed_at = models.DateTimeField(null=True)
    removed_by = models.IntegerField(null=True)

    class Meta:
        db_table = "crm_attachment"
        indexes = (models.Index(fields=["type", "record_id", "-id"], name="attachment_record"),)

    def __str__(self) -> str:
        return f"{self.name} of {self.type} {self.record_id}"


class Consent(models.Model):
    """Why personal data of a contact may be used for one purpose: since when, by what, and until when.

    Rows are added and withdrawn, never changed otherwise or deleted; they go with their contact. Row policies give
    them to whoever may view the contact (hufu.crm.consents).
    """

    id = models.BigAutoField(primary_key=True)
    contact = models.ForeignKey(Contact, models.DO_NOTHING, related_name="+", db_constraint=False)
    purpose = models.CharField(max_length=32, db_collation="C")
    basis = models.CharField(max_length=32, db_collation="C")
    source = models.CharField(max_length=32, db_collation="C")
    given_on = models.DateField()
    evidence = models.CharField(max_length=500, blank=True, default="")
    recorded_at = models.DateTimeField()
    recorded_by = models.IntegerField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.IntegerField(null=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        db_table = "crm_consent"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | models.Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="crm_consent_withdrawn_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of contact {self.contact_id}"
