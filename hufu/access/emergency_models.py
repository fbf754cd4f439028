"""Security administrators whom the operator appointed because nobody could give roles any more."""

from __future__ import annotations

from django.db import models


class Emergency(models.Model):
    """An appointment on the server, open until it is reviewed. Written by a function of the database alone."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey("people.User", models.PROTECT, related_name="+")
    reason = models.TextField()
    appointed_at = models.DateTimeField()
    reviewed_by = models.IntegerField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    review = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "access_emergency"
