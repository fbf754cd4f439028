"""The log and the keys of the people in it. The database lets nobody change an event: see `sql/`."""

from __future__ import annotations

from django.db import models


class AuditSubject(models.Model):
    """Whom personal values are about: the pseudonym that the log uses, and the key that can be erased."""

    pseudonym = models.UUIDField(primary_key=True)
    kind = models.TextField(db_collation="C")
    ref = models.BigIntegerField()
    wrapped_key = models.BinaryField(null=True)
    key_version = models.IntegerField()

    class Meta:
        db_table = "audit_subject"
        constraints = [models.UniqueConstraint(fields=["kind", "ref"], name="audit_subject_is_one")]

    def __str__(self) -> str:
        return str(self.pseudonym)


class AuditEvent(models.Model):
    """One entry of the log. `body` is the truth; the database extracts all other columns from it."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    type = models.TextField(db_collation="C")
    actor = models.UUIDField(null=True)
    on_behalf = models.UUIDField(null=True)
    target_type = models.TextField(db_collation="C", null=True)
    target_id = models.BigIntegerField(null=True)
    partition_id = models.IntegerField(null=True)
    result = models.TextField(db_collation="C")
    request_id = models.TextField(db_collation="C")
    body = models.BinaryField()
    leaf = models.BinaryField()

    class Meta:
        db_table = "audit_event"
        indexes = [
            models.Index(models.F("at").desc(), models.F("id").desc(), name="audit_event_at"),
            models.Index("type", models.F("at").desc(), name="audit_event_type"),
            models.Index("actor", models.F("at").desc(), name="audit_event_actor"),
            models.Index("target_type", "target_id", models.F("at").desc(), name="audit_event_target"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
