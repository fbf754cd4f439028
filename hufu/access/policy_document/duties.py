"""The section `duties`: roles that nobody may hold together."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import duties
from hufu.access.duties import Tolerated
from hufu.access.duty_models import Duty
from hufu.access.policy_document.draft import Draft, Section, again
from hufu.access.policy_document.principals import read_moment
from hufu.access.policy_document.roles import with_inherited
from hufu.core.actor import Actor

DUTY_KEYS = ("key", "name", "roles", "most", "tolerate")


def _plan(draft: Draft, entries: Any) -> None:
    """Plan to bring each duty that the document names to exactly what it says; others stay."""
    standing = {duty.key: duty for duty in Duty.objects.all()}
    named: set[str] = set()
    for place, entry in draft.problems.entries("duties", entries):
        if not draft.problems.check_keys(place, entry, DUTY_KEYS, ("key", "name", "roles")):
            continue
        key, name = str(entry["key"]), str(entry["name"])
        if again(draft, place, key, named):
            continue
        before = len(draft.problems.found)
        roles = _roles(draft, f"{place}.roles", entry["roles"])
        most = entry.get("most", 1)
        if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most < max(len(roles), 2):
            draft.problems.add(
                f"{place}.most", _("This must be a number, at least 1 and smaller than the number of roles.")
            )
        tolerated = _tolerated(draft, f"{place}.tolerate", entry.get("tolerate"))
        if len(draft.problems.found) > before:
            continue
        duty = standing.get(key)
        if duty is not None and _says(duty) == (name, set(roles), most, tolerated):
            continue
        draft.add(
            place,
            f"duty:{key}",
            partial(_set, draft, key, name, roles, most, tolerated),
            creates=duty is None,
        )


def _says(duty: Duty) -> tuple[str, set[str], int, Tolerated | None]:
    return duty.name, set(duties.roles_of(duty)), duty.most, _tolerated_of(duty)


def _tolerated_of(duty: Duty) -> Tolerated | None:
    return Tolerated(duty.tolerated_until, duty.tolerated_reason) if duty.tolerated_until else None


def _roles(draft: Draft, place: str, entry: Any) -> list[str]:
    roles = draft.problems.names(place, entry)
    if len(roles) < 2:
        draft.problems.add(place, _("Name at least two roles."))
    for role in roles:
        if role not in draft.roles:
            draft.problems.add(place, _("There is no role “%s”.") % role)
    for role in roles:
        for other in sorted(with_inherited(role, draft.inherits) & set(roles) - {role}):
            draft.problems.add(
                place,
                _("“%(role)s” inherits “%(other)s”: nobody could hold it.") % {"role": role, "other": other},
            )
    return roles


def _tolerated(draft: Draft, place: str, entry: Any) -> Tolerated | None:
    if entry is None or not draft.problems.check_keys(place, entry, ("until", "reason"), ("until", "reason")):
        return None
    until = read_moment(f"{place}.until", entry["until"], draft.problems)
    return Tolerated(until, str(entry["reason"])) if until else None


def _set(
    draft: Draft,
    key: str,
    name: str,
    roles: list[str],
    most: int,
    tolerated: Tolerated | None,
    actor: Actor,
) -> None:
    duties.set_duty(
        actor,
        key=key,
        name=name,
        roles=[draft.role(role) for role in roles],
        most=most,
        tolerated=tolerated,
    )


def _export() -> list[dict[str, Any]]:
    return [_export_duty(duty) for duty in Duty.objects.order_by("id")]


def _export_duty(duty: Duty) -> dict[str, Any]:
    exported: dict[str, Any] = {"key": duty.key, "name": duty.name, "roles": duties.roles_of(duty)}
    if duty.most != 1:
        exported["most"] = duty.most
    if tolerated := _tolerated_of(duty):
        exported["tolerate"] = {"until": tolerated.until.isoformat(), "reason": tolerated.reason}
    return exported


def _remove(draft: Draft, place: str, entry: Any) -> None:
    duty = Duty.objects.filter(key=str(entry)).first()
    if duty is None:
        draft.problems.add(place, _("There is no separation of duties “%s”.") % entry)
        return
    draft.add(place, f"duty:{duty.key}", partial(duties.end_duty, duty=duty), creates=False, removes=True)


SECTION = Section("duties", _plan, _export, _remove)
