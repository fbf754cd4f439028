"""What a duplicate check tells: a definition of the company, per type."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

DUPLICATE_COLUMNS: dict[str, tuple[str, ...]] = {"access_duplicate_facts": ("type", "facts")}
# What is told of a record where the policy says nothing, besides that it exists.
USUAL_FACTS = ("owner", "department")


class DuplicateFacts(models.Model):
    """The fields that a duplicate check tells of records of a type that the asker may not view."""

    id = models.IntegerField(primary_key=True)
    type = models.CharField(max_length=40, unique=True, db_collation="C")
    facts = ArrayField(models.CharField(max_length=64, db_collation="C"))
    valid_from = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "access_duplicate_facts"

    def __str__(self) -> str:
        return self.type
