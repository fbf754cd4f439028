"""Asking for access, the answers one got, and the requests that one may decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, registry, requests
from hufu.access.models import Role, TeamMember
from hufu.access.registry import ResourceType
from hufu.access.request_models import AccessRequest
from hufu.access.requests import Mine, State
from hufu.core.actor import Actor
from hufu.core.days import end_of
from hufu.core.errors import Invalid, NotFound
from hufu.crm import actions, duplicates, queries
from hufu.web.numbers import number
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.forms import show_problems
from hufu.web.requests import crossings
from hufu.web.requests.disputes import disputes_of
from hufu.web.requests.forms import AnswerForm, AskForm

STATES: dict[State, tuple[str | Promise, str]] = {
    State.WAITING: (gettext_lazy("Waiting"), "amber"),
    State.GRANTED: (gettext_lazy("Granted"), "green"),
    State.REJECTED: (gettext_lazy("Rejected"), "red"),
    State.WITHDRAWN: (gettext_lazy("Withdrawn"), "grey"),
    State.LAPSED: (gettext_lazy("Not answered"), "grey"),
}


@dataclass(frozen=True)
class Line:
    """A request in words: what was typed, and how it stands."""

    request: AccessRequest
    what: str
    address: str
    state: str | Promise = ""
    tone: str = ""
    mine: Mine | None = None

    @property
    def can_be_withdrawn(self) -> bool:
        return self.mine is not None and self.mine.state is State.WAITING


def ask_page(request: Passage, number: str, resource: ResourceType) -> HttpResponse:
    """Ask for access to a record, whatever stands in the address. INVARIANT: no record is looked at."""
    form = AskForm(
        request.POST if request.method == "POST" else None, access=_offered(request.GET.get("access", ""))
    )

    def ask(wanted: dict[str, Any], until: Any) -> None:
        requests.ask_for_record(
            request.actor,
            resource.name,
            number,
            access=wanted["access"],
            until=until,
            reason=wanted["reason"],
        )

    what = _("%(type)s, number %(number)s") % {"type": resource.label, "number": number}
    return _ask(request, form, what, ask)


def join_page(request: Passage, hit: int, resource: ResourceType) -> HttpResponse:
    """Ask for access to what a duplicate check of one's own found; neither address nor text has the record's number."""
    fields = duplicates.to_join(request.actor, resource, hit)
    form = AskForm(request.POST if request.method == "POST" else None)

    def ask(wanted: dict[str, Any], until: Any) -> None:
        duplicates.ask_to_join(
            request.actor, resource, hit, access=wanted["access"], until=until, reason=wanted["reason"]
        )

    words = {"thing": resource.label, "fields": duplicates.fields_in_words(resource, fields)}
    return _ask(request, form, _("%(thing)s, found by: %(fields)s") % words, ask, joins=True)


@page(signed_in=True, methods=("GET", "POST"), limit="sensitive")
def ask_for_permission(request: Passage, permission: str) -> HttpResponse:
    """Ask for a role that grants a permission."""
    try:
        declared = registry.permission(permission)
    except KeyError as error:
        raise NotFound from error
    form = AskForm(request.POST if request.method == "POST" else None, of_record=False)

    def ask(wanted: dict[str, Any], until: Any) -> None:
        requests.ask_for_permission(request.actor, declared.name, until=until, reason=wanted["reason"])

    return _ask(request, form, str(declared.label), ask)


def _ask(request: Passage, form: AskForm, what: str, ask: Any, *, joins: bool = False) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        until = end_of(form.cleaned_data["until"])
        try:
            with transaction.atomic():
                ask(form.cleaned_data, until)
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(request, _("Your request was sent. You find the answer here."))
            return HttpResponseRedirect(reverse("requests"))
    return render(request, "requests/ask.html", {"form": form, "what": what, "joins": joins})


@page(signed_in=True)
def requests_page(request: Passage) -> HttpResponse:
    """Show what one may decide, what one asked for, and what one let across a wall."""
    return render(
        request,
        "requests/list.html",
        {
            **crossings.lists(request.actor),
            "disputes": disputes_of(request.actor),
            "waiting": _their_lines(request.actor),
            "mine": _my_lines(request.actor),
        },
    )


@page(signed_in=True, methods=("POST",))
def withdraw(request: Passage, number: int) -> HttpResponse:
    """Take back what one asked for."""
    if requests.withdraw(request.actor, number):
        messages.success(request, _("The request is withdrawn."))
    else:
        messages.info(request, _("There was nothing to withdraw."))
    return HttpResponseRedirect(reverse("requests"))


@page(signed_in=True, methods=("GET", "POST"))
def answer_page(request: Passage, number: int) -> HttpResponse:
    """Show a request to whoever may decide it, or decide it: grant, reject, or leave it without an answer."""
    actor = request.actor
    asked = requests.to_decide(actor, number)
    context = _about(actor, asked)
    form = AnswerForm(
        request.POST if request.method == "POST" else None,
        asked,
        roles=context["roles"],
        may_edit=context["may_edit"],
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                said = _decide(actor, asked, request.POST.get("do", ""), form.cleaned_data)
        except Invalid as invalid:
            names = {"ends_at": "ends", "to": ""}
            show_problems(form, Invalid({names.get(name, name): of for name, of in invalid.problems.items()}))
        else:
            messages.success(request, said)
            return HttpResponseRedirect(reverse("requests"))
    return render(request, "requests/answer.html", {"form": form, "line": _their_line(asked, {}), **context})


def _decide(actor: Actor, asked: AccessRequest, deed: str, wanted: dict[str, Any]) -> str:
    reason, ends_at = wanted["reason"], end_of(wanted["ends"])
    words = {"person": asked.user.name}
    if deed == "reject":
        requests.reject(actor, asked.pk, reason=reason)
        return _("The request of %(person)s is rejected; they read your answer.") % words
    if deed == "leave":
        requests.reject(actor, asked.pk, reason=reason, tell=False)
        return _("The request of %(person)s is put aside; they learn nothing of it.") % words
    if deed != "grant":
        raise Invalid({"": [_("Choose what is to be done.")]})
    if ends_at is None:
        raise Invalid({"ends_at": [_("Name a day that is to come.")]})
    if asked.permission:
        role = Role.objects.filter(pk=number(wanted["role"])).first()
        if role is None:
            raise Invalid({"role": [_("Choose a role that you may give and that grants it.")]})
        requests.grant_role(actor, asked.pk, role=role, ends_at=ends_at, reason=reason)
    else:
        actions.grant_record(actor, asked.pk, access=wanted["access"], ends_at=ends_at, reason=reason)
    return _("%(person)s has access from the very next click, until the day you named.") % words


def _about(actor: Actor, asked: AccessRequest) -> dict[str, Any]:
    """Return what whoever decides sees: the record, or the roles that they may give for it."""
    if asked.permission:
        warning = requests.would_come_back(asked) if requests.stands_in_for_asker(asked) else ""
        roles = [] if warning else requests.roles_for(actor, asked)
        return {"roles": roles, "may_edit": False, "record": None, "warning": warning}
    resource, found = actions.asked_record(actor, asked)
    wants_edit = asked.access == TeamMember.Access.EDIT
    return {
        "roles": [],
        "may_edit": wants_edit and guard.may_give_edit(actor, resource, found),
        "record": getattr(found, resource.title),
        "record_url": reverse(f"{resource.name}_record", args=[found.pk]),
        "type": resource.label,
    }


def _their_lines(actor: Actor) -> list[Line]:
    """Return what the actor may decide: a record by name and address where they may view it, else by its number."""
    rows = requests.waiting(actor)
    records = {(row.type, row.record_id) for row in rows if row.record_id is not None}
    titles = queries.titles_of(actor, records)
    return [_their_line(row, titles) for row in rows]


def _their_line(request: AccessRequest, titles: queries.Titles) -> Line:
    if request.permission:
        return Line(request, str(registry.label_of(request.permission)), "")
    resource, number = registry.resource_type(request.type), request.record_id or 0
    if title := titles.get((resource.name, number)):
        return Line(request, *_named(resource, number, title))
    return Line(request, _("%(type)s, number %(number)s") % {"type": resource.label, "number": number}, "")


def _my_lines(actor: Actor) -> list[Line]:
    """Return what the actor asked for; what they joined by a duplicate check with its name, once they view it."""
    rows, opened = requests.mine(actor), duplicates.joined(actor)
    titles = queries.titles_of(actor, {(resource.name, number) for resource, number in opened.values()})
    return [_my_line(each, opened.get(each.request.pk), titles) for each in rows]


def _my_line(mine: Mine, opened: tuple[ResourceType, int] | None, titles: queries.Titles) -> Line:
    if opened is not None:
        resource, number = opened
        what, address = _named(resource, number, titles.get((resource.name, number), ""))
    else:
        what, address = _as_typed(mine.request)
    state, tone = STATES[mine.state]
    return Line(mine.request, what, address, state, tone, mine)


def _as_typed(request: AccessRequest) -> tuple[str, str]:
    """Return what somebody asked for in words, and its address: nothing but what they typed themselves."""
    if request.permission:
        return str(registry.label_of(request.permission)), ""
    resource = registry.resource_type(request.type)
    if request.hit is not None:
        return _("%(thing)s that a duplicate check found") % {"thing": resource.label}, ""
    what = _("%(type)s, number %(number)s") % {"type": resource.label, "number": request.number}
    # Where the number is none that a record can have, the link would lead nowhere.
    fits = len(request.number) <= 18
    return what, reverse(f"{resource.name}_record", args=[int(request.number)]) if fits else ""


def _named(resource: ResourceType, number: int, title: str) -> tuple[str, str]:
    what = _("%(type)s: %(title)s") % {"type": resource.label, "title": title}
    return what, reverse(f"{resource.name}_record", args=[number])


def _offered(text: str) -> str:
    return text if text in AccessRequest.Access.values else ""
