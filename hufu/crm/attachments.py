"""Files of records: sealed on the disk, opened for whoever may view the record, under its own rule.

Whoever may edit the record adds and removes them. Each file has a key of its own, which lies sealed in its row: when
the row loses it, or goes with its record, nothing opens the bytes any more, wherever a copy of them lies.

A file is on the disk before its row is committed and leaves it after its row has lost the key. What a crash leaves
between the two is bytes that nobody can read; `sweep` takes them away.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, lost_rights, policies, quotas
from hufu.access.deeds import INSIDE
from hufu.access.registry import ResourceType, resource_type
from hufu.audit import EventType, declare, record, shown
from hufu.core import clock, vault
from hufu.core.actor import Actor
from hufu.core.errors import NotFound, Unavailable
from hufu.core.health import Finding
from hufu.core.vault.rotation import SealedTable
from hufu.crm.actions.common import target
from hufu.crm.models import Attachment
from hufu.crm.uploads import accepted

ATTACHED_TO = ("customer", "opportunity")
SEALED = SealedTable("crm_attachment", ("key",), (), lambda _values: {})
# A file without a row may belong to a request that is still under way.
SETTLED_SECONDS = 24 * 3600

LABELS = {
    "customer": (
        gettext_lazy("Customer: file added"),
        gettext_lazy("Customer: file removed"),
        gettext_lazy("Customer: file opened"),
    ),
    "opportunity": (
        gettext_lazy("Opportunity: file added"),
        gettext_lazy("Opportunity: file removed"),
        gettext_lazy("Opportunity: file opened"),
    ),
}
for _name in ATTACHED_TO:
    for _verb, _label in zip(("added", "removed", "opened"), LABELS[_name], strict=True):
        declare(
            EventType(f"{_name}.attachment_{_verb}", _label, shown("attachment", "media", "size", "digest"))
        )


def attachments(actor: Actor, resource: ResourceType, record_id: int) -> list[Attachment]:
    """Return the files of a record that the actor may view, newest first; or nothing."""
    if not guard.scope(actor, resource.permission("view")).filter(pk=record_id).exists():
        return []
    rows = Attachment.objects.filter(type=resource.name, record_id=record_id, removed_at__isnull=True)
    return list(rows.defer("key").order_by("-pk"))


def attach(actor: Actor, resource: ResourceType, record_id: int, *, name: str, content: bytes) -> int:
    """Add a file to a record and return its number. Raise Invalid with the problem of the field `file`."""
    current = guard.use(actor, resource.permission("edit"), record_id)
    upload = accepted(name, content)
    key, file = secrets.token_bytes(32), uuid4()
    _write(file, key, upload.content)
    made = Attachment.objects.create(
        type=resource.name,
        record_id=record_id,
        name=upload.name,
        media=upload.media,
        size=len(upload.content),
        digest=hashlib.sha256(upload.content).hexdigest(),
        file=file,
        key=key.hex(),
        added_at=clock.now(),
        added_by=actor.user_id,
    )
    record(actor, f"{resource.name}.attachment_added", target=target(resource, current), data=_facts(made))
    return made.pk


def opened(
    actor: Actor, resource: ResourceType, record_id: int, attachment_id: int
) -> tuple[Attachment, bytes]:
    """Return a file of a record that the actor may view, and its bytes, checked whole. The access is recorded.

    Raise NotFound where the record has no such file, Unavailable where the disk has lost or damaged it.
    """
    current = guard.get(actor, resource.permission("view"), record_id)
    found = _one(resource, record_id, attachment_id)
    quotas.consume(actor, resource.permission("view"), records=[record_id], target=target(resource, current))
    try:
        with _path(found.file).open("rb") as source:
            content = b"".join(vault.unseal_stream(bytes.fromhex(found.key), source, found.file.bytes))
    except (OSError, vault.Damaged):
        raise Unavailable(
            _(
                "This file is lost or damaged on the disk. Ask your system administrator to restore it from a backup."
            )
        ) from None
    record(actor, f"{resource.name}.attachment_opened", target=target(resource, current), data=_facts(found))
    return found, content


def remove(actor: Actor, resource: ResourceType, record_id: int, attachment_id: int) -> None:
    """Remove a file of a record for good: its key is destroyed in the same transaction, its bytes after it.

    Raise NotFound where the record has no such file, Denied where the actor edits it by a share across the wall alone:
    that lets nothing be deleted.
    """
    current = guard.use(actor, resource.permission("edit"), record_id)
    if not guard.may_inside(actor, resource.permission("edit"), current):
        raise guard.denied(actor, resource.permission("edit"), current)
    found = _one(resource, record_id, attachment_id)
    removed = Attachment.objects.filter(pk=found.pk, removed_at__isnull=True).update(
        key="", removed_at=clock.now(), removed_by=actor.user_id
    )
    if not removed:
        raise lost_rights.lost(actor) or _absent()
    record(actor, f"{resource.name}.attachment_removed", target=target(resource, current), data=_facts(found))
    path = _path(found.file)
    transaction.on_commit(lambda: path.unlink(missing_ok=True), robust=True)


def _one(resource: ResourceType, record_id: int, attachment_id: int) -> Attachment:
    found = Attachment.objects.filter(
        pk=attachment_id, type=resource.name, record_id=record_id, removed_at__isnull=True
    ).first()
    if found is None:
        raise _absent()
    return found


def _absent() -> NotFound:
    return NotFound(_("There is no such page, or you may not view it."))


def _facts(of: Attachment) -> dict[str, object]:
    return {"attachment": of.pk, "media": of.media, "size": of.size, "digest": of.digest}


def _path(file: UUID) -> Path:
    return Path(settings.HUFU_ATTACHMENTS) / file.hex[:2] / file.hex


def _write(file: UUID, key: bytes, content: bytes) -> None:
    """Put a sealed file on the disk, whole or not at all."""
    path = _path(file)
    part = path.with_suffix(".part")
    try:
        for folder in (path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with part.open("xb") as sink:
                part.chmod(0o600)
                sink.writelines(vault.seal_stream(key, io.BytesIO(content), file.bytes))
                sink.flush()
                os.fsync(sink.fileno())
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError:
        raise Unavailable(
            _(
                "The file could not be stored: the disk may be full. Nothing was changed; tell an administrator."
            )
        ) from None


def _on_disk() -> Iterator[Path]:
    folder = Path(settings.HUFU_ATTACHMENTS)
    if folder.is_dir():
        yield from (path for path in folder.glob("??/*") if path.is_file())


def _known() -> set[str]:
    """Return the names of all files that some row can open; asked as the owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT replace(file::text, '-', '') FROM crm_attachment WHERE removed_at IS NULL")
        return {name for (name,) in cursor.fetchall()}


def sweep() -> int:
    """Take away files that no row can open and that are a day old, and return how many; asked as the owner."""
    old = time.time() - SETTLED_SECONDS
    gone = 0
    # The disk first: a file that came after the rows were read would be taken for nobody's.
    files = [path for path in _on_disk() if path.stat().st_mtime < old]
    known = _known()
    for path in files:
        if path.name not in known:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def check() -> Iterator[Finding]:
    """Yield whether the folder is there for whoever serves, and nobody else's."""
    folder = Path(settings.HUFU_ATTACHMENTS)
    problem = ""
    if folder.exists() and folder.stat().st_mode & 0o077:
        problem = "others than the site's own user may open the folder"
    yield Finding("files of records", problem, f"chmod 700 {folder}")


def statements() -> str:
    """Return the row policies: the record's own rule decides, in the database as in the guard."""
    view, edit, inside = (
        policies.follows(verb, "type", "record_id") for verb in ("view", "edit", f"edit {INSIDE}")
    )
    listed = ", ".join(f"'{name}'" for name in ATTACHED_TO)
    going = "".join(
        f"""
DROP TRIGGER IF EXISTS attachments_go ON public.{resource_type(name).table};
CREATE TRIGGER attachments_go AFTER DELETE ON public.{resource_type(name).table}
    FOR EACH ROW EXECUTE FUNCTION hufu.attachments_go('{name}');"""
        for name in ATTACHED_TO
    )
    return f"""
ALTER TABLE public.crm_attachment ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.crm_attachment FROM hufu_app;
GRANT SELECT, INSERT ON public.crm_attachment TO hufu_app;
GRANT UPDATE (key, removed_at, removed_by) ON public.crm_attachment TO hufu_app;
DROP POLICY IF EXISTS view ON public.crm_attachment;
DROP POLICY IF EXISTS attach ON public.crm_attachment;
DROP POLICY IF EXISTS remove ON public.crm_attachment;
CREATE POLICY view ON public.crm_attachment FOR SELECT TO hufu_app USING ({view});
CREATE POLICY attach ON public.crm_attachment FOR INSERT TO hufu_app
    WITH CHECK (type IN ({listed}) AND {edit} AND added_by = (SELECT hufu.actor()) AND removed_at IS NULL);
CREATE POLICY remove ON public.crm_attachment FOR UPDATE TO hufu_app
    USING ({inside} AND removed_at IS NULL)
    WITH CHECK ({inside} AND removed_at IS NOT NULL AND removed_by = (SELECT hufu.actor()) AND key = '');
-- Files go with their record for good; it is the owner who deletes records.
CREATE OR REPLACE FUNCTION hufu.attachments_go() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM public.crm_attachment a WHERE a.type = TG_ARGV[0] AND a.record_id = OLD.id;
    RETURN NULL;
END $$;{going}
"""
