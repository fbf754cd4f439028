"""The section `base_access`."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import actions, registry
from hufu.access.models import BaseAccess
from hufu.access.policy_document.draft import Draft, Section


def _plan_base_access(draft: Draft, entry: Any) -> None:
    """Plan what the document says of types (type: private, public_read or public_read_write); others stay."""
    if entry is None:
        return
    types = [resource.name for resource in registry.resource_types() if not resource.parent]
    if not draft.problems.check_keys("base_access", entry, types, ()):
        return
    standing = dict(BaseAccess.objects.values_list("type", "access"))
    for type_name, access in entry.items():
        place = f"base_access.{type_name}"
        if access not in BaseAccess.Access.values:
            draft.problems.add(
                place,
                _("“%(text)s” is not one of: %(allowed)s.")
                % {"text": access, "allowed": ", ".join(BaseAccess.Access.values)},
            )
        elif standing.get(type_name, BaseAccess.Access.PRIVATE) != access:
            deed = partial(actions.set_base_access, type_name=type_name, access=str(access))
            draft.add(
                place,
                f"base_access:{type_name}",
                deed,
                creates=type_name not in standing,
                narrows=type_name in standing and access == BaseAccess.Access.PRIVATE,
            )


def _export() -> dict[str, str]:
    return dict(BaseAccess.objects.order_by("type").values_list("type", "access"))


SECTION = Section("base_access", _plan_base_access, _export)
