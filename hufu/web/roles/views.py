"""Roles, to be read by the security administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from hufu.access import company, guard, queries, registry
from hufu.access.explain import SCOPE_LABELS
from hufu.access.models import Administrator, Role
from hufu.access.registry import Risk
from hufu.audit import record
from hufu.web.pages import page
from hufu.web.passage import Passage

RISKS = {Risk.LOW: "grey", Risk.MEDIUM: "amber", Risk.HIGH: "red"}


@dataclass(frozen=True)
class RoleCard:
    """A role, what it inherits, and its grants in words."""

    role: Role
    administrator: str
    inherits: list[str]
    grants: list[dict[str, Any]]


@page("role.view")
def roles_page(request: Passage) -> HttpResponse:
    """Show every role with what it permits."""
    actor = request.actor
    roles = [card(role) for role in queries.roles(actor)]
    record(actor, "role.listed", data={"count": len(roles)})
    return render(
        request,
        "roles/list.html",
        {"roles": roles, "mode": company.mode(), "may_give": guard.may(actor, "role.assign")},
    )


def card(role: Any) -> RoleCard:
    """Return a role in words; the scopes of one permission stand together."""
    scopes: dict[str, list[str]] = {}
    for grant in role.grants.all():
        scopes.setdefault(grant.permission, []).append(grant.scope)
    declared = {permission.name: permission for permission in registry.permissions()}
    order = list(declared)
    return RoleCard(
        role,
        str(Administrator(role.administrator).label) if role.administrator else "",
        [row.inherits.name for row in role.inherits_rows.all()],
        [
            {
                "label": declared[name].label,
                "name": name,
                "tone": RISKS[declared[name].risk],
                "scopes": []
                if registry.type_of(name) is None
                else [SCOPE_LABELS.get(scope, scope) for scope in scopes[name]],
            }
            for name in sorted(scopes, key=order.index)
        ],
    )
