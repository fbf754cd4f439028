"""Sites (independent, of a customer or of nobody) and inspections, which follow their site."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from hufu.access.registry import (
    Field,
    Kind,
    ResourceType,
    Search,
    Sensitivity,
    declare_type,
    following_permissions,
    record_permissions,
)
from hufu.audit import declare_record_events
from hufu.core.vault.fields import SealedText
from hufu.crm.models import BusinessRecord, Customer, Record, held_streams
from hufu.crm.resources import KEPT, OWNED

declare_record_events("site", "Site")
declare_record_events("inspection", "Inspection", owned=False)

_VERBS = ("view", "create", "edit", "delete", "restore", "purge")
_NAME = Field("name", "Name", required=True, search=Search.PREFIX, sort="name_sort", in_list=True)

SITE = declare_type(
    ResourceType(
        name="site",
        label="Site",
        label_plural="Sites",
        model="added.Site",
        icon="building",
        permissions=record_permissions(
            "site",
            label={
                verb: f"{verb} sites"
                for verb in (*_VERBS, "transfer", "share", "move_partition", "void", "lock")
            },
        ),
        fields=(
            _NAME,
            Field(
                "customer", "Customer", Kind.REFERENCE, reference="customer", filterable=True, in_list=True
            ),
            Field(
                "stage",
                "Stage",
                Kind.CHOICE,
                choices=(("building", "Being built"), ("won", "In use")),
                required=True,
                filterable=True,
                in_list=True,
            ),
            Field("machines", "Machines", Kind.INTEGER, in_list=True),
            Field(
                "phone", "Phone of the gate", Kind.PHONE, Sensitivity.PERSONAL, max_length=40, in_list=True
            ),
            Field("note", "Note", Kind.LONG_TEXT, max_length=10_000),
            *OWNED,
        ),
    )
)

INSPECTION = declare_type(
    ResourceType(
        name="inspection",
        label="Inspection",
        label_plural="Inspections",
        model="added.Inspection",
        icon="file",
        parent="site",
        permissions=following_permissions(
            "inspection", label={verb: f"{verb} inspections" for verb in _VERBS}
        ),
        fields=(
            _NAME,
            Field("site", "Site", Kind.REFERENCE, reference="site", system=True, in_list=True),
            Field("note", "Note", Kind.LONG_TEXT, max_length=10_000),
            *KEPT,
        ),
    )
)


class Site(BusinessRecord):
    """Where machines stand."""

    customer = models.ForeignKey(
        Customer, models.DO_NOTHING, null=True, related_name="+", db_constraint=False
    )
    stage = models.CharField(max_length=32, db_collation="C")
    machines = models.IntegerField(null=True)
    phone = SealedText(blank=True, default="")
    phone_index = models.BinaryField(null=True)
    phone_last_index = models.BinaryField(null=True)
    note = models.TextField(blank=True, default="")

    rows: ClassVar[models.Manager[Site]] = models.Manager()

    class Meta(BusinessRecord.Meta):
        db_table = "added_site"
        indexes: ClassVar[tuple[models.Index, ...]] = (
            *BusinessRecord.Meta.indexes,
            *held_streams("stage", "customer"),
        )
        constraints = (models.UniqueConstraint(fields=["partition", "id"], name="added_site_in_partition"),)


class Inspection(Record):
    """What was found at a site."""

    site = models.ForeignKey(Site, models.DO_NOTHING, related_name="+", db_constraint=False)
    note = models.TextField(blank=True, default="")

    rows: ClassVar[models.Manager[Inspection]] = models.Manager()

    class Meta(Record.Meta):
        db_table = "added_inspection"
