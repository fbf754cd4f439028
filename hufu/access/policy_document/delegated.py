"""The section `delegated_administration`: who may give which roles to the people of which departments."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import delegated
from hufu.access.delegated_models import Delegated
from hufu.access.policy_document.draft import Draft, Section
from hufu.access.policy_document.principals import find_principal
from hufu.access.policy_document.roles import with_inherited
from hufu.core import wording
from hufu.core.actor import Actor
from hufu.people.models import Department, User

KEYS = ("to", "within", "roles", "reason")


def _plan(draft: Draft, entries: Any) -> None:
    """Plan that each person whom the document names gives exactly these roles there; others stay."""
    standing = {
        (row.user_id, row.within_id): set(row.delegated_roles.values_list("role__key", flat=True))
        for row in Delegated.objects.all()
    }
    for place, entry in draft.problems.entries("delegated_administration", entries):
        if not draft.problems.check_keys(place, entry, KEYS, KEYS):
            continue
        before = len(draft.problems.found)
        to = entry["to"] if isinstance(entry["to"], dict) else {}
        user = find_principal("user", str(to.get("user", "")))
        within = find_principal("department", str(entry["within"]))
        if user is None or set(to) != {"user"}:
            draft.problems.add(f"{place}.to", _("Name one person: {user: NAME}."))
        if within is None:
            draft.problems.add(
                f"{place}.within",
                wording.unknown("department", entry["within"]),
            )
        roles = draft.problems.names(f"{place}.roles", entry["roles"])
        for role in roles:
            if role not in draft.roles:
                draft.problems.add(f"{place}.roles", _("There is no role “%s”.") % role)
            elif with_inherited(role, draft.inherits) & draft.administrators:
                draft.problems.add(
                    f"{place}.roles",
                    _("“%s” makes an administrator: it cannot be given by delegated administration.") % role,
                )
        if len(draft.problems.found) > before or user is None or within is None:
            continue
        if standing.get((user.id, within.id)) == set(roles):
            continue
        deed = partial(_entrust, draft, user, within, roles, str(entry["reason"]))
        label = f"delegated_administration:user:{user.id}@department:{within.id}"
        words = f"delegated_administration: {user.username} in {within.code}"
        draft.add(place, label, deed, creates=(user.id, within.id) not in standing, words=words)


def _entrust(
    draft: Draft, user: User, within: Department, roles: list[str], reason: str, actor: Actor
) -> None:
    delegated.entrust(actor, user, within=within, roles=[draft.role(role) for role in roles], reason=reason)


def _export() -> list[dict[str, Any]]:
    return [
        {
            "to": {"user": row.user.username},
            "within": row.within.code,
            "roles": list(row.delegated_roles.order_by("id").values_list("role__key", flat=True)),
            "reason": row.reason,
        }
        for row in Delegated.objects.select_related("user", "within").order_by("id")
    ]


def _identity(entry: Any) -> Any:
    return {"to": entry["to"], "within": entry["within"]}


def _remove(draft: Draft, place: str, entry: Any) -> None:
    """Plan that somebody gives nothing there any more."""
    if not draft.problems.check_keys(place, entry, ("to", "within"), ("to", "within")):
        return
    to = entry["to"] if isinstance(entry["to"], dict) else {}
    row = (
        Delegated.objects.select_related("within")
        .filter(user__username=str(to.get("user", "")), within__code=str(entry["within"]))
        .first()
    )
    if row is None:
        draft.problems.add(place, _("Nobody is entrusted so."))
        return
    label = f"delegated_administration:user:{row.user_id}@department:{row.within_id}"
    deed = partial(delegated.end, row=row, reason="")
    draft.add(place, label, deed, creates=False, narrows=True, removes=True)


SECTION = Section("delegated_administration", _plan, _export, _remove, _identity)
