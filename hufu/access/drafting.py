"""The working draft: what an author changes of roles and base access, until they submit it as a change set.

INVARIANT: everybody who manages roles has at most one, and reaches no other; the row policy (sql/drafts.sql) holds the
same. Nothing of a draft is in force.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from hufu.access import change_sets, draft_text, guard, policy_document, policy_file, registry
from hufu.access.change_sets import Rehearsal, Submitted
from hufu.access.decision.scopes import NAMES
from hufu.access.draft_models import WorkingDraft
from hufu.access.draft_text import Change, Entries
from hufu.access.models import BaseAccess
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid, NotFound

PERMISSION = "role.manage"


@dataclass(frozen=True)
class Summary:
    """How many places a draft changes, and whether a newer version stands than it was written for."""

    changes: int
    base_version: int
    standing_version: int

    @property
    def is_stale(self) -> bool:
        return self.base_version != self.standing_version


@dataclass(frozen=True)
class Draft:
    """A draft, and the definitions of the version that it was written for."""

    base_version: int
    standing_version: int
    mine: Entries
    base: Entries

    @property
    def is_stale(self) -> bool:
        return self.base_version != self.standing_version

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """In how many places, and how, it differs."""
        return draft_text.changes(self.base, self.mine)

    @cached_property
    def after(self) -> Entries:
        """What the definitions become."""
        return draft_text.applied(self.base, self.mine)

    @property
    def document(self) -> dict[str, Any]:
        """What is submitted."""
        return draft_text.document_of(self.mine)


def summary(actor: Actor) -> Summary | None:
    """Return what the bar says of the actor's draft; None where they have none, or may have none."""
    if not guard.may(actor, PERMISSION):
        return None
    row = WorkingDraft.objects.filter(author_id=actor.user_id).values("changes", "base_version").first()
    if row is None:
        return None
    return Summary(row["changes"], row["base_version"], policy_file.current_version())


def standing() -> Entries:
    """Return the roles and the base access that stand, for whoever may view roles."""
    return draft_text.by_entry(policy_document.definitions(draft_text.SECTIONS))


def find(actor: Actor) -> Draft | None:
    """Return the actor's draft; None where they have none, or may have none."""
    if not guard.may(actor, PERMISSION):
        return None
    row = WorkingDraft.objects.filter(author_id=actor.user_id).first()
    return None if row is None else _read(row)


def set_scopes(actor: Actor, role: str, wanted: Mapping[str, Sequence[str]]) -> None:
    """Have the draft give permissions of a role these scopes; no scope takes the permission away.

    Raise NotFound where neither the policy nor the draft has the role; refuse what no permission takes.
    """

    def edit(mine: Entries, after: Entries) -> None:
        if role not in after["roles"]:
            raise NotFound
        for permission, scopes in wanted.items():
            _check_scopes(actor, permission, scopes)
        entry = dict(after["roles"][role])
        grants = dict(entry["grants"])
        for permission, scopes in wanted.items():
            if scopes:
                grants[permission] = written(scopes)
            else:
                grants.pop(permission, None)
        mine["roles"][role] = {**entry, "grants": grants}

    _change(actor, edit, {"role": role, "permissions": sorted(wanted)})


def set_base_access(actor: Actor, type_name: str, access: str) -> None:
    """Have the draft open the records of a type to whoever holds view (edit) at any scope, or close them."""

    def edit(mine: Entries, after: Entries) -> None:
        independent = {resource.name for resource in registry.resource_types() if not resource.parent}
        if type_name not in independent or access not in BaseAccess.Access.values:
            raise _no_such_choice(actor, f"{type_name} · {access}")
        mine["base_access"][type_name] = access

    _change(actor, edit, {"type": type_name, "access": access})


def add_role(actor: Actor, key: str, name: str, *, copy_of: str = "") -> None:
    """Have the draft add a role: an empty one, or one that grants and inherits what another does."""

    def edit(mine: Entries, after: Entries) -> None:
        if key in after["roles"]:
            raise Invalid({"key": [_("There is a role “%s” already.") % key]})
        if copy_of and copy_of not in after["roles"]:
            raise NotFound
        copied = after["roles"][copy_of] if copy_of else {"grants": {}}
        mine["roles"][key] = {**copied, "key": key, "name": name}

    _change(actor, edit, {"role": key})


def undo(actor: Actor, place: str) -> None:
    """Take one change out of the draft; where it is gone already, nothing happens."""
    draft = _required(actor)
    if any(change.place == place for change in draft.changes):
        record(actor, "policy.draft_undone", data={"key": place})
        _write(actor, draft, draft_text.without(draft.base, draft.mine, place))


def discard(actor: Actor) -> None:
    """Throw the draft away."""
    draft = _required(actor)
    record(actor, "policy.draft_discarded", data={"changes": len(draft.changes)})
    WorkingDraft.objects.filter(author_id=actor.user_id).delete()


def carry_over(actor: Actor) -> tuple[Change, ...]:
    """Write the draft anew for the version that stands.

    Return what was left out, because a newer version changed the same.
    """
    draft = _required(actor)
    left, lost = draft_text.carried(draft.base, stands := standing(), draft.mine)
    record(
        actor,
        "policy.draft_carried",
        data={"base_version": draft.base_version, "version": draft.standing_version},
    )
    _write(actor, Draft(draft.standing_version, draft.standing_version, left, stands), left)
    return lost


def rehearse(actor: Actor) -> Rehearsal:
    """Say what the draft would do, and leave no trace of it. Raise Invalid with what is wrong with it."""
    draft = _fresh(actor)
    return change_sets.rehearse(actor, draft.document)


def submit(actor: Actor, *, title: str, reason: str = "") -> Submitted:
    """Submit the draft as a change set; then there is none any more. Raise Invalid with what is wrong with it."""
    draft = _fresh(actor)
    made = change_sets.submit(actor, draft.document, title=title, reason=reason, base=draft.base_version)
    WorkingDraft.objects.filter(author_id=actor.user_id).delete()
    return made


def scopes_of(grant: Any) -> tuple[str, ...]:
    """Return the scopes of a grant as a document writes it."""
    return tuple(grant) if isinstance(grant, list) else () if grant is None else (str(grant),)


def written(scopes: Iterable[str]) -> str | list[str]:
    """Return scopes as a document writes them, narrowest first."""
    ordered = sorted(set(scopes), key=list(NAMES).index)
    return ordered[0] if len(ordered) == 1 else ordered


def _change(actor: Actor, edit: Callable[[Entries, Entries], None], about: Mapping[str, Any]) -> None:
    """Let `edit` change what the draft says, given what the definitions would be."""
    guard.authorize(actor, PERMISSION)
    version = policy_file.current_version()
    if not version:
        raise Invalid({"": [_("Version 1 comes first: `hufu policy apply` publishes it.")]})
    fresh = {
        "base_version": version,
        "document": json.dumps({"format": 1}),
        "changes": 0,
        "changed_at": clock.now(),
    }
    # A page that shows what is wrong keeps nothing of it.
    with transaction.atomic():
        rows = WorkingDraft.objects.select_for_update()
        row, _made = rows.get_or_create(author_id=actor.user_id, defaults=fresh)
        draft = _read(row)
        _refuse_stale(draft)
        mine = {name: dict(draft.mine[name]) for name in draft_text.SECTIONS}
        edit(mine, draft.after)
        record(actor, "policy.drafted", data=about)
        _write(actor, draft, draft_text.tidy(draft.base, mine))


def _write(actor: Actor, draft: Draft, mine: Entries) -> None:
    found = draft_text.changes(draft.base, mine)
    rows = WorkingDraft.objects.filter(author_id=actor.user_id)
    if not found:
        rows.delete()
        return
    rows.update(
        base_version=draft.base_version,
        document=json.dumps(draft_text.document_of(mine), ensure_ascii=False),
        changes=len(found),
        changed_at=clock.now(),
    )


def _read(row: WorkingDraft) -> Draft:
    version = policy_file.current_version()
    if row.base_version == version:
        base = standing()
    else:
        base = draft_text.by_entry(change_sets.text_of(row.base_version))
    return Draft(row.base_version, version, draft_text.by_entry(json.loads(row.document)), base)


def _required(actor: Actor) -> Draft:
    guard.authorize(actor, PERMISSION)
    row = WorkingDraft.objects.select_for_update().filter(author_id=actor.user_id).first()
    if row is None:
        raise NotFound
    return _read(row)


def _fresh(actor: Actor) -> Draft:
    draft = _required(actor)
    _refuse_stale(draft)
    return draft


def _refuse_stale(draft: Draft) -> None:
    if draft.is_stale:
        raise Invalid(
            {
                "": [
                    _(
                        "Your draft was written for version %(base)s, and version %(standing)s stands. "
                        "Carry it over first."
                    )
                    % {"base": draft.base_version, "standing": draft.standing_version}
                ]
            }
        )


def _check_scopes(actor: Actor, permission: str, scopes: Sequence[str]) -> None:
    try:
        legal = registry.permission(permission).scopes
    except KeyError:
        raise _no_such_choice(actor, permission) from None
    for scope in scopes:
        if scope not in legal:
            raise _no_such_choice(actor, f"{permission} · {scope}")


def _no_such_choice(actor: Actor, what: str) -> Denied:
    """Return the refusal of what no page offers."""
    refusal = guard.denied(actor, PERMISSION)
    return Denied(
        refusal.decision,
        _("There is no such choice: %s.") % what[:120],
        event={**(refusal.event or {}), "reason": "no_such_choice"},
    )
