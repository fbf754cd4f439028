"""The section `approvals`: who decides about access requests, and who owns a partition.

What a document does not name stays.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import approvers, registry
from hufu.access.models import PRINCIPALS
from hufu.access.policy_document.draft import Draft, Section
from hufu.access.policy_document.principals import export_principal, principal_words, read_principal
from hufu.access.registry import Risk
from hufu.access.request_models import Approver
from hufu.core.actor import Actor

KEYS = ("records", "partition", "role", "by")
WORDS = tuple(by.value for by in Approver.By if by not in (Approver.By.ROLE, Approver.By.NAMED))
OF_RECORDS = {Approver.By.OWNER.value, Approver.By.MANAGER_OF_OWNER.value}


def _plan(draft: Draft, entries: Any) -> None:
    standing = [_export_row(row) for row in _rows()]
    for place, entry in draft.problems.entries("approvals", entries):
        if not draft.problems.check_keys(place, entry, KEYS, ("by",)):
            continue
        before = len(draft.problems.found)
        plain = {name: value for name, value in entry.items() if value is not None}
        _check(draft, place, plain)
        values = _by(draft, f"{place}.by", plain)
        if len(draft.problems.found) > before or values is None or plain in standing:
            continue
        standing.append(plain)
        words = f"approvals: {_words(plain, values)}"
        deed = partial(_appoint, draft, plain, values)
        # Owners of a partition let shares across its wall; everybody else decides with rights that they have anyway.
        risk = Risk.HIGH if _is_of_owner(plain) else Risk.MEDIUM
        draft.add(place, words, deed, creates=True, words=words, risk=risk)


def _check(draft: Draft, place: str, entry: dict[str, Any]) -> None:
    """Find what is wrong with what an entry is about: records of one type, requests for one role, or a partition."""
    problems = draft.problems
    if ("records" in entry) == ("role" in entry) and not _is_of_owner(entry):
        problems.add(place, _("Name exactly one of: %s.") % "records, role, partition")
    known = {resource.name for resource in registry.resource_types() if not resource.parent}
    if "records" in entry and entry["records"] not in known:
        problems.add(f"{place}.records", _("Requests are decided for: %s.") % ", ".join(sorted(known)))
    if "role" in entry and entry["role"] not in draft.roles:
        problems.add(f"{place}.role", _("There is no role “%s”.") % entry["role"])
    if "partition" in entry:
        if "role" in entry:
            problems.add(f"{place}.partition", _("“partition” belongs to records."))
        if entry["partition"] not in draft.partitions:
            problems.add(f"{place}.partition", _("There is no partition “%s”.") % entry["partition"])


def _by(draft: Draft, place: str, entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return the columns that say who decides, but for a role, which may be yet to come."""
    by = entry["by"]
    if isinstance(by, str):
        if _is_of_owner(entry):
            draft.problems.add(place, _("Owners of a partition are named: the holders of a role, or people."))
            return None
        if by not in WORDS or ("role" in entry and by in OF_RECORDS):
            allowed = [word for word in WORDS if "role" not in entry or word not in OF_RECORDS]
            draft.problems.add(
                place,
                _("“%(text)s” is not one of: %(allowed)s.") % {"text": by, "allowed": ", ".join(allowed)},
            )
            return None
        return {"by": by}
    if isinstance(by, dict) and set(by) == {"role"}:
        if by["role"] not in draft.roles:
            draft.problems.add(place, _("There is no role “%s”.") % by["role"])
        return {"by": Approver.By.ROLE.value}
    to = read_principal(place, by, draft.problems)
    return {"by": Approver.By.NAMED.value, **to.columns()} if to else None


def _is_of_owner(entry: dict[str, Any]) -> bool:
    """Say whether an entry names who owns a partition."""
    return "partition" in entry and "records" not in entry and "role" not in entry


def _words(entry: dict[str, Any], values: dict[str, Any]) -> str:
    about = f"role {entry['role']}" if "role" in entry else str(entry.get("records", "owner"))
    where = f" in {entry['partition']}" if "partition" in entry else ""
    row = Approver(**values)
    to = approvers.principal_of(row)
    who = principal_words(to) if to else f"role {entry['by']['role']}" if row.by == "role" else row.by
    return f"{about}{where} → {who}"


def _appoint(draft: Draft, entry: dict[str, Any], values: dict[str, Any], actor: Actor) -> None:
    by = entry["by"]
    approvers.appoint(
        actor,
        Approver(
            type=entry.get("records", ""),
            partition=draft.partition(entry["partition"]) if "partition" in entry else None,
            role=draft.role(entry["role"]) if "role" in entry else None,
            by_role=draft.role(by["role"]) if values["by"] == Approver.By.ROLE else None,
            **values,
        ),
    )


def _rows() -> list[Approver]:
    rows = Approver.objects.select_related("partition", "role", "by_role", *PRINCIPALS, "level__ladder")
    return list(rows.order_by("id"))


def _export() -> list[dict[str, Any]]:
    return [_export_row(row) for row in _rows()]


def _export_row(row: Approver) -> dict[str, Any]:
    exported: dict[str, Any] = {"role": row.role.key} if row.role else {}
    if row.type:
        exported["records"] = row.type
    if row.partition is not None:
        exported["partition"] = row.partition.key
    to = approvers.principal_of(row)
    if to is not None:
        exported["by"] = export_principal(to)
    elif row.by_role is not None:
        exported["by"] = {"role": row.by_role.key}
    else:
        exported["by"] = row.by
    return exported


def _identity(entry: Any) -> Any:
    return dict(entry)


def _remove(draft: Draft, place: str, entry: Any) -> None:
    """Plan that somebody decides no longer; the entry is written as in the section."""
    if not draft.problems.check_keys(place, entry, KEYS, ("by",)):
        return
    ended = [row for row in _rows() if _export_row(row) == dict(entry)]
    if not ended:
        draft.problems.add(place, _("Nobody decides so."))
    for row in ended:
        words = f"approvals: {approvers.said(row)}"
        draft.add(
            place, words, partial(approvers.dismiss, approver=row), creates=False, removes=True, words=words
        )


SECTION = Section("approvals", _plan, _export, _remove, _identity)
