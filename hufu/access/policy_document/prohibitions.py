"""The section `prohibitions`: what is forbidden to principals. What a document does not name stays.

To forbid takes away only, and one person publishes it; what `removes` names ends, which widens.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import prohibitions
from hufu.access.models import PRINCIPALS, Prohibition
from hufu.access.policy_document.draft import Draft, Section
from hufu.access.policy_document.principals import (
    export_principal,
    principal_words,
    read_moment,
    read_principal,
)
from hufu.core.actor import Actor

KEYS = ("permission", "to", "reason", "starts", "ends")
IDENTITY = ("permission", "to", "starts", "ends")


def _plan(draft: Draft, entries: Any) -> None:
    """Plan to forbid what the document says, unless just that is forbidden already. `TYPE.*` names a whole type."""
    standing = {_identity(row) for row in _rows()}
    problems = draft.problems
    for place, entry in problems.entries("prohibitions", entries):
        if not problems.check_keys(place, entry, KEYS, ("permission", "to", "reason")):
            continue
        before = len(problems.found)
        permission = str(entry["permission"])
        if not prohibitions.is_nameable(permission):
            problems.add(f"{place}.permission", _("There is no permission “%s”.") % permission)
        to = read_principal(f"{place}.to", entry["to"], problems)
        starts_at = read_moment(f"{place}.starts", entry.get("starts"), problems)
        ends_at = read_moment(f"{place}.ends", entry.get("ends"), problems)
        if starts_at and ends_at and starts_at >= ends_at:
            problems.add(f"{place}.ends", _("It would end before it starts."))
        if to is None or len(problems.found) > before:
            continue
        identity = (permission, str(to), starts_at, ends_at)
        if identity in standing:
            continue
        standing.add(identity)
        given = {"to": to, "reason": str(entry["reason"]), "starts_at": starts_at, "ends_at": ends_at}
        words = f"prohibition:{permission} → {principal_words(to)}"
        label, deed = f"prohibition:{permission}→{to}", partial(_forbid, permission, given)
        draft.add(place, label, deed, creates=True, words=words, narrows=True)


def _forbid(permission: str, given: dict[str, Any], actor: Actor) -> None:
    prohibitions.forbid(actor, permission, **given)


def _rows() -> Any:
    return Prohibition.objects.select_related(*PRINCIPALS, "level__ladder").order_by("id")


def _identity(row: Prohibition) -> tuple[Any, ...]:
    return row.permission, str(prohibitions.forbidden_to(row)), row.starts_at, row.ends_at


def _export() -> list[dict[str, Any]]:
    return [
        {
            "permission": row.permission,
            "to": export_principal(prohibitions.forbidden_to(row)),
            "reason": row.reason,
            **({"starts": row.starts_at.isoformat()} if row.starts_at else {}),
            **({"ends": row.ends_at.isoformat()} if row.ends_at else {}),
        }
        for row in _rows()
    ]


def _remove(draft: Draft, place: str, entry: Any) -> None:
    """Plan to end a prohibition, named by its permission and to whom, and by its term if it has one."""
    problems = draft.problems
    if not problems.check_keys(place, entry, IDENTITY, ("permission", "to")):
        return
    to = read_principal(f"{place}.to", entry["to"], problems)
    starts_at, ends_at = (
        read_moment(f"{place}.{name}", entry.get(name), problems) for name in ("starts", "ends")
    )
    if to is None:
        return
    wanted = (str(entry["permission"]), str(to), starts_at, ends_at)
    row = next((row for row in _rows() if _identity(row) == wanted), None)
    if row is None:
        problems.add(place, _("Nothing like that is forbidden."))
        return
    words = f"prohibition:{row.permission} → {principal_words(to)}"
    deed = partial(_end, row)
    draft.add(place, f"prohibition:{row.permission}→{to}", deed, creates=False, words=words, removes=True)


def _end(row: Prohibition, actor: Actor) -> None:
    prohibitions.end(actor, row, reason=row.reason)


def _named(entry: Any) -> dict[str, Any]:
    return {name: entry[name] for name in IDENTITY if name in entry}


SECTION = Section("prohibitions", _plan, _export, _remove, _named)
