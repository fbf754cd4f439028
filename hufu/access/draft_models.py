"""What somebody is about to change of the definitions, before they submit it."""

from __future__ import annotations

from django.db import models

from hufu.people.models import User


class WorkingDraft(models.Model):
    """One author's draft: their own to read and write, and nobody else's; nothing of it holds.

    `document` is JSON: the sections of a policy document that differ from version `base_version`; `changes` says in how
    many places.
    """

    author = models.OneToOneField(User, models.PROTECT, primary_key=True, related_name="+")
    base_version = models.IntegerField()
    document = models.TextField()
    changes = models.IntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "access_draft"
