"""The tabs of a record's page beside its timeline: what belongs to it, its team, who sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, registry
from hufu.access.decision.scopes import Scope
from hufu.access.models import RecordShare, TeamMember
from hufu.access.registry import ResourceType, resource_type
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.crm import actions, queries, share_notes
from hufu.crm.queries import ListQuery
from hufu.crm.who_sees import Viewers, who_sees
from hufu.people.models import User
from hufu.web import principals
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records import columns, pickers
from hufu.web.records.access import may_create
from hufu.web.records.children import reference_to
from hufu.web.records.presenters import Presenter
from hufu.web.records.views.record import tabbed

WAYS: Mapping[Scope, str | Promise] = {
    Scope.OWN: gettext_lazy("Owner of the record"),
    Scope.TEAM: gettext_lazy("In the related team"),
    Scope.DIRECT_REPORTS: gettext_lazy("The owner reports to them directly"),
    Scope.SUBORDINATES: gettext_lazy("The owner stands below them in the reporting line"),
    Scope.DEPARTMENT: gettext_lazy("Of the record's department"),
    Scope.DEPARTMENT_AND_BELOW: gettext_lazy("Of a department above the record's department"),
    Scope.EVERYTHING: gettext_lazy("A role of theirs covers every record of the partition"),
    Scope.SHARED: gettext_lazy("It was shared with them"),
    Scope.POOL: gettext_lazy("Member of the pool in which it lies"),
}


@dataclass(frozen=True)
class Way:
    """One way to a record, and whom it leads there."""

    label: str
    people: tuple[User, ...]


@dataclass(frozen=True)
class Shared:
    """A share of a record: to whom, what kind of principal that is, who gave it, until when it holds."""

    row: RecordShare
    to: str
    kind: str
    by: str
    may_end: bool
    is_over: bool
    note: str
    until: datetime | None


def children(request: Passage, resource: ResourceType, record_id: int, child: str) -> HttpResponse:
    """Show the records of another type that belong to this one and that the actor may view."""
    actor = request.actor
    record = queries.get_record(actor, resource, record_id)
    other = resource_type(child)
    guard.authorize(actor, other.permission("view"))
    reference = reference_to(other, resource)
    of_this = ListQuery(
        filters={reference.name: [str(record_id)]}, cursor=request.GET.get("cursor", ""), limit=queries.PAGE
    )
    found = queries.list_records(actor, other, of_this)
    fields = columns.beside_parent(columns.shown(request, other))
    if other.parent:
        may_add = guard.may_add_to(actor, other, record)
    else:
        may_add = may_create(actor, other)
    return tabbed(
        request,
        resource,
        record,
        child,
        {
            "child": other,
            "rows": Presenter(actor, other, found.records, short=True).rows(fields, deeds=True),
            "columns": fields,
            "page": found,
            "new_url": f"{reverse(f'{child}_new')}?{reference.name}={record_id}" if may_add else "",
        },
        template="children",
    )


def team(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show who works on a record beside its owner."""
    record = queries.get_record(request.actor, resource, record_id)
    return team_page(request, resource, record, {})


def team_page(
    request: Passage, resource: ResourceType, record: object, problems: Mapping[str, list[str]]
) -> HttpResponse:
    """Return the tab of the team, with what was wrong in its form."""
    actor = request.actor
    record_id: int = record.pk  # type: ignore[attr-defined]
    chosen = User.objects.select_related("main_department").filter(pk=number(request.POST.get("who")))
    may_share = guard.may(actor, resource.permission("share"), record)  # type: ignore[arg-type]
    accesses = [TeamMember.Access.READ]
    if may_share and guard.may_give_edit(actor, resource, record):  # type: ignore[arg-type]
        accesses.append(TeamMember.Access.EDIT)
    return tabbed(
        request,
        resource,
        record,
        "team",
        {
            "members": queries.team(actor, resource, record_id),
            "shares": shares(actor, resource, record, may_share=may_share),
            "share_url": reverse(f"{resource.name}_share", args=[record_id]),
            "end_url": reverse(f"{resource.name}_share_end", args=[record_id]),
            "may_share": may_share,
            "accesses": [(access.value, access.label) for access in accesses],
            "typed": {"access": request.POST.get("access", "read"), "role": request.POST.get("role", "")},
            "chosen": [pickers.person_choice(person, chosen=True) for person in chosen],
            "problems": [message for messages in problems.values() for message in messages],
            "owners_url": reverse(f"{resource.name}_owners"),
            "add_url": reverse(f"{resource.name}_team_add", args=[record_id]),
            "remove_url": reverse(f"{resource.name}_team_remove", args=[record_id]),
        },
    )


def shares(actor: Actor, resource: ResourceType, record: Any, *, may_share: bool) -> list[Shared]:
    """Return the shares of a record in words, newest first; to whoever may share it, which of them open nothing."""
    found = queries.shares(actor, resource, record.pk)
    numbers = {row.given_by for row in found} | {row.across_by for row in found if row.across_by is not None}
    givers = dict(User.objects.filter(pk__in=numbers).values_list("pk", "name"))
    now = clock.now()
    standing = [row for row in found if row.ends_at is None or row.ends_at > now] if may_share else []
    lacking = share_notes.all_lacking(resource, record.pk, standing)
    outside = share_notes.outside(standing, record.partition_id)

    def note(row: RecordShare) -> str:
        if row.pk in lacking:
            return opens_nothing(row.user, lacking[row.pk])
        if row.pk in outside:
            return _("It opens nothing: the wall of the partition is in the way.")
        if row.across_by is not None:
            return _("Let across the wall by %s.") % givers.get(row.across_by, _("The system"))
        return ""

    return [
        Shared(
            row,
            *principals.words(row),
            givers.get(row.given_by, _("The system")),
            may_end=may_share or actor.user_id in (row.user_id, row.given_by),
            is_over=row.ends_at is not None and row.ends_at <= now,
            note=note(row),
            until=row.ends_at,
        )
        for row in found
    ]


def opens_nothing(person: User | None, permission: str) -> str:
    """Return that a share opens nothing to somebody (without a person: to anybody), and which permission is lacking."""
    words = {"permission": registry.permission(permission).label}
    if person is None:
        return _opens_nothing_to_many(permission) % words
    words["person"] = person.name
    if permission.endswith(".edit"):
        return (
            _(
                "It does not open editing: %(person)s does not hold “%(permission)s” at any scope. It will, once a "
                "role of theirs grants it."
            )
            % words
        )
    return (
        _(
            "It opens nothing: %(person)s does not hold “%(permission)s” at any scope. It will, once a role of theirs "
            "grants it."
        )
        % words
    )


def _opens_nothing_to_many(permission: str) -> str:
    if permission.endswith(".edit"):
        return _(
            "It does not open editing: nobody whom it reaches holds “%(permission)s” at any scope. It will, once a "
            "role of theirs grants it."
        )
    return _(
        "It opens nothing: nobody whom it reaches holds “%(permission)s” at any scope. It will, once a role of theirs "
        "grants it."
    )


def add_member(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Take a colleague into the team, or change what a member may do."""
    actor = request.actor
    who = number(request.POST.get("who"))
    try:
        with transaction.atomic():
            if not User.objects.filter(pk=who).exists():
                raise Invalid({"who": [_("Choose a colleague.")]})
            actions.add_member(
                actor,
                resource,
                record_id,
                who=who,
                access=request.POST.get("access", ""),
                role=request.POST.get("role", "").strip(),
            )
    except Invalid as invalid:
        record = guard.get(actor, resource.permission("share"), record_id)
        queries.record_view(actor, resource, record)
        return team_page(request, resource, record, invalid.problems)
    name = User.objects.get(pk=who).name
    messages.success(request, _("%(name)s is in the team.") % {"name": name})
    return HttpResponseRedirect(reverse(f"{resource.name}_team", args=[record_id]))


def remove_member(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Take somebody out of the team; one who leaves it may lose sight of the record."""
    actor = request.actor
    who = number(request.POST.get("who"))
    if not actions.remove_member(actor, resource, record_id, who=who):
        messages.info(request, _("There was nothing to end."))
    elif who == actor.user_id:
        messages.success(request, _("You left the team."))
    else:
        messages.success(request, _("Taken out of the team."))
    if queries.visible_titles(actor, resource, [record_id]):
        return HttpResponseRedirect(reverse(f"{resource.name}_team", args=[record_id]))
    return HttpResponseRedirect(reverse(f"{resource.name}_list"))


def who(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show who can see a record, by the way that leads them there."""
    actor = request.actor
    found = who_sees(actor, resource, record_id)
    context = {"ways": in_words(found), "amount": sum(len(viewers.people) for viewers in found)}
    try:
        record = guard.get(actor, resource.permission("view"), record_id)
    except NotFound:
        # Whoever explains rights need not be one who may view the record: people and reasons, nothing of it.
        name = f"{resource.label} #{record_id}"
        return render(request, "records/who.html", {"resource": resource, "title": name, **context})
    queries.record_view(actor, resource, record)
    return tabbed(request, resource, record, "who", context)


def in_words(found: tuple[Viewers, ...]) -> list[Way]:
    """Return the ways in words."""
    return [Way(str(WAYS[viewers.scope]), viewers.people) for viewers in found]
