"""Roles, assignments and admissions, to be read by the security administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise

from hufu.access import company, queries, registry
from hufu.access.explain import RIGHT_LABELS, SCOPE_LABELS
from hufu.access.models import Administrator, Role
from hufu.access.registry import Risk
from hufu.audit import record
from hufu.web import principals
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
    return render(request, "roles/list.html", {"roles": roles, "mode": company.mode()})


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


@page("role.view")
def given_page(request: Passage) -> HttpResponse:
    """Show who holds which role, and who is admitted where."""
    actor = request.actor
    assignments = [(row, *principals.words(row)) for row in queries.assignments(actor)]
    admissions = [(row, *principals.words(row), rights(row)) for row in queries.admissions(actor)]
    record(actor, "assignment.listed", data={"count": len(assignments) + len(admissions)})
    return render(request, "roles/given.html", {"assignments": assignments, "admissions": admissions})


def rights(row: Any) -> list[str | Promise]:
    """Return the rights of an admission in words."""
    return [RIGHT_LABELS[right] for right in RIGHT_LABELS if right in queries.rights(row)]
