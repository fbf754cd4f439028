"""One role: its matrix, its field rules, who holds it, and the versions that changed it.

What is shown is what stands, with the author's own draft drawn into it; a change goes into that draft and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import F, JSONField, Value
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast, NullIf
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from hufu.access import drafting, guard, policy_file, queries, registry
from hufu.access.draft_text import Entries
from hufu.access.drafting import Draft
from hufu.access.models import Administrator, ChangeSet, Role
from hufu.access.policy_words import PolicyWords
from hufu.audit import record
from hufu.core.errors import Invalid, NotFound
from hufu.web import principals
from hufu.web.numbers import LARGEST
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.policy import presenters
from hufu.web.roles import matrix

# So many of the latest change sets about a role stand on its page; all of them on the page of the policy.
MOST = 30


@dataclass(frozen=True)
class Shown:
    """A role with the definitions that stand and those that the reader's draft leads to."""

    key: str
    role: Role | None
    draft: Draft | None
    before: Entries
    after: Entries

    @property
    def entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = self.after["roles"].get(self.key) or {"grants": {}}
        return entry

    @property
    def urls(self) -> dict[str, str]:
        """The addresses of its pages; of a role that only the draft has, those of its matrix."""
        if self.role is None:
            return {
                "matrix": reverse("role_drafted", args=[self.key]),
                "grants": reverse("role_drafted_grants", args=[self.key]),
            }
        names = {
            "matrix": "role",
            **{each: f"role_{each}" for each in ("grants", "fields", "members", "history")},
        }
        return {each: reverse(name, args=[self.role.pk]) for each, name in names.items()}


@page("role.view")
def role_page(request: Passage, number: int) -> HttpResponse:
    """Show what a role permits, object by verb."""
    return _matrix(request, _shown(request, number))


@page("role.manage")
def drafted_page(request: Passage, key: str) -> HttpResponse:
    """Show a role that only the author's draft has."""
    return _matrix(request, _drafted(request, key))


@page("role.manage", methods=("POST",))
def change_grants(request: Passage, number: int) -> HttpResponse:
    """Change cells in the draft: of one permission, of a row (`customer.*`), of a column (`*.view`), or base access."""
    _change(request, _role(number).key)
    return HttpResponseRedirect(reverse("role", args=[number]))


@page("role.manage", methods=("POST",))
def change_drafted(request: Passage, key: str) -> HttpResponse:
    """Change cells of a role that only the draft has."""
    _change(request, _drafted(request, key).key)
    return HttpResponseRedirect(reverse("role_drafted", args=[key]))


def _change(request: Passage, key: str) -> None:
    pattern, choice = request.POST.get("permission", ""), request.POST.get("scope", "")
    try:
        if pattern.startswith(matrix.BASE):
            drafting.set_base_access(request.actor, pattern.removeprefix(matrix.BASE), choice)
        else:
            drafting.set_scopes(request.actor, key, matrix.wanted(pattern, choice))
    except Invalid as invalid:
        messages.error(request, str(invalid))


@page("role.view")
def fields_page(request: Passage, number: int) -> HttpResponse:
    """Show what a role says of fields."""
    shown = _shown(request, number)
    words = PolicyWords()
    record(request.actor, "role.viewed", data={"role": shown.key})
    lines = [
        line
        for key in (shown.key, *matrix.inherited(shown.key, shown.after["roles"]))
        for line in _field_lines(key, shown, words)
    ]
    return _render(request, "roles/fields.html", shown, "fields", {"lines": lines})


@page("role.view")
def members_page(request: Passage, number: int) -> HttpResponse:
    """Show to whom a role is given, and which roles inherit it."""
    shown = _shown(request, number)
    given = [
        (row, *principals.words(row)) for row in queries.assignments(request.actor).filter(role_id=number)
    ]
    heirs = [
        other["name"]
        for key, other in shown.before["roles"].items()
        if shown.key in other.get("inherits", ())
    ]
    record(request.actor, "assignment.listed", data={"count": len(given)})
    context = {
        "assignments": given,
        "heirs": heirs,
        "number": number,
        "may_give": guard.may(request.actor, "role.assign"),
    }
    return _render(request, "roles/members.html", shown, "members", context)


@page("role.view")
def history_page(request: Passage, number: int) -> HttpResponse:
    """Show the latest versions that changed a role, each with what it changed and who decided."""
    shown = _shown(request, number)
    sets = list(_sets_about(shown.key))
    names = presenters.names_of(sets)
    words = PolicyWords()
    record(request.actor, "role.viewed", data={"role": shown.key})
    lines = [
        (
            presenters.card(each, names),
            [
                presenters.line(found, words)
                for found in each.differences
                if (found["section"], found["key"]) == ("roles", shown.key)
            ],
        )
        for each in sets
    ]
    return _render(request, "roles/history.html", shown, "history", {"lines": lines, "most": MOST})


def _role(number: int) -> Role:
    role = Role.objects.filter(pk=number).first() if number <= LARGEST else None
    if role is None:
        raise NotFound
    return role


def _shown(request: Passage, number: int) -> Shown:
    role = _role(number)
    return Shown(role.key, role, *with_draft(request))


def _drafted(request: Passage, key: str) -> Shown:
    shown = Shown(key, None, *with_draft(request))
    if key in shown.before["roles"] or key not in shown.after["roles"]:
        raise NotFound
    return shown


def with_draft(request: Passage) -> tuple[Draft | None, Entries, Entries]:
    """Return the reader's draft, the definitions that stand, and what they become by it."""
    draft = drafting.find(request.actor)
    if draft is None or draft.is_stale:
        stands = drafting.standing()
        return draft, stands, stands
    return draft, draft.base, draft.after


def _matrix(request: Passage, shown: Shown) -> HttpResponse:
    text = request.GET.get("q", "")[:100]
    if shown.key not in shown.after["roles"]:
        raise NotFound
    record(request.actor, "role.viewed", data={"role": shown.key})
    made = matrix.matrix(shown.key, shown.before, shown.after, text=text)
    return _render(request, "roles/matrix.html", shown, "matrix", {"matrix": made, "text": text})


def _render(request: Passage, template: str, shown: Shown, tab: str, context: dict[str, Any]) -> HttpResponse:
    roles = shown.after["roles"]
    may_edit = guard.may(request.actor, drafting.PERMISSION)
    return render(
        request,
        template,
        {
            "name": shown.entry.get("name", shown.key),
            "key": shown.key,
            "description": shown.entry.get("description", ""),
            "administrator": administrator_label(shown.entry),
            "is_drafted": shown.role is None,
            "urls": shown.urls,
            "inherits": [roles[key]["name"] for key in shown.entry.get("inherits", ())],
            "tab": tab,
            "may_edit": may_edit and _is_open(shown.draft),
            "may_manage": may_edit,
            **context,
        },
    )


def administrator_label(entry: Mapping[str, Any]) -> str:
    """Return which administrator a role makes, in words; nothing for a business role."""
    made = entry.get("administrator", "")
    return str(Administrator(made).label) if made else ""


def _is_open(draft: Draft | None) -> bool:
    """Say whether a change can go into the draft: a version stands, and the draft was written for no older one."""
    return not draft.is_stale if draft is not None else bool(policy_file.current_version())


def _field_lines(key: str, shown: Shown, words: PolicyWords) -> list[tuple[str, str, str, str, bool, str]]:
    """Return the rules of one role: type, field, for one's own, for others', export, and which role if inherited."""
    source = "" if key == shown.key else shown.after["roles"][key]["name"]
    lines = []
    for type_name, fields in (shown.after["roles"][key].get("fields") or {}).items():
        resource = registry.resource_type(type_name)
        for name, said in fields.items():
            rule = said if isinstance(said, dict) else {"mine": said, "others": said}
            lines.append(
                (
                    str(resource.label),
                    str(resource.by_name[name].label),
                    words.value("mine", rule["mine"]),
                    words.value("others", rule["others"]),
                    rule.get("export", True),
                    source,
                )
            )
    return lines


def _sets_about(key: str) -> Any:
    """Return the latest published change sets that changed a role, with their differences and without the people."""
    named = f'"section": "roles", "key": {json.dumps(key, ensure_ascii=False)}'
    return (
        ChangeSet.objects.filter(state=ChangeSet.State.PUBLISHED, outcome__contains=named)
        .annotate(differences=KeyTransform("differences", Cast(NullIf(F("outcome"), Value("")), JSONField())))
        .defer("document", "outcome")
        .order_by("-version")[:MOST]
    )
