"""The states of a record on its page: declared void or locked with a reason, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from hufu.access import guard, state_words, states
from hufu.access.decision.states import State
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.crm import actions, queries
from hufu.people.models import User
from hufu.web import toasts
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records.forms import DeedForm, show_problems
from hufu.web.records.presenters import record_url
from hufu.web.records.views.deeds import deed_page
from hufu.web.records.views.editing import sent

Words = str | Promise


@dataclass(frozen=True)
class StateDeed:
    """How a state is set and taken back, in words and looks. The names are those of deeds and addresses."""

    verb: str
    back: str
    state: State
    icon: str
    heading: Words
    explained: Words
    done: Words
    take_back: Words
    taken_back: Words


DEEDS = (
    StateDeed(
        "void",
        "unvoid",
        State.VOID,
        "x",
        gettext_lazy("Declare void"),
        gettext_lazy(
            "Whoever viewed it still does; it leaves the usual lists, and nobody edits, transfers or shares it. "
            "Whoever may declare records void can take that back."
        ),
        gettext_lazy("%(thing)s declared void."),
        gettext_lazy("No longer void"),
        gettext_lazy("%(thing)s is no longer void."),
    ),
    StateDeed(
        "lock",
        "unlock",
        State.LOCKED,
        "lock",
        gettext_lazy("Lock"),
        gettext_lazy(
            "Whoever viewed it still does; nobody changes it or what follows it, until somebody who may lock records "
            "unlocks it."
        ),
        gettext_lazy("%(thing)s locked."),
        gettext_lazy("Unlock"),
        gettext_lazy("%(thing)s unlocked."),
    ),
)
BY_VERB = {deed.verb: deed for deed in DEEDS}
BY_BACK = {deed.back: deed for deed in DEEDS}


@dataclass(frozen=True)
class Notice:
    """What the page says of a state that the record is in; `back` is where this person takes it back, if they may."""

    text: str
    icon: str
    back: str = ""
    label: Words = ""


@dataclass(frozen=True)
class Button:
    """A state that this person may set."""

    label: Words
    icon: str
    url: str


def notices(actor: Actor, resource: ResourceType, record: Any) -> Iterator[Notice]:
    """Yield what closes the record, since when, by whom and why."""
    found = states.facts(resource, record)
    names = dict(User.objects.filter(pk__in={each.by for each in found if each.by}).values_list("pk", "name"))
    for each in found:
        said = state_words.sentence(each, names.get(each.by or 0, ""))
        deed = next((deed for deed in DEEDS if deed.state is each.state), None)
        if deed is None:
            yield Notice(said, "clock")
        elif guard.may(actor, resource.permission(deed.verb), record):
            back = reverse(f"{resource.name}_{deed.back}", args=[record.pk])
            yield Notice(said, deed.icon, back, deed.take_back)
        else:
            yield Notice(said, deed.icon)


def buttons(actor: Actor, resource: ResourceType, record: Any) -> Iterator[Button]:
    """Yield the states that this person may set on the record, which is in none of them yet."""
    standing = {each.state for each in states.facts(resource, record)}
    for deed in DEEDS:
        if (
            resource.has(deed.verb)
            and deed.state not in standing
            and guard.may(actor, resource.permission(deed.verb), record)
        ):
            yield Button(deed.heading, deed.icon, reverse(f"{resource.name}_{deed.verb}", args=[record.pk]))


def state_page(request: Passage, resource: ResourceType, record_id: int, verb: str) -> HttpResponse:
    """Ask why, and set the state. The next page offers the way back."""
    actor, deed = request.actor, BY_VERB[verb]
    record = guard.get(actor, resource.permission(verb), record_id)
    form = DeedForm(sent(request))
    conflict = "version" in form.errors
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        do = getattr(actions, f"{verb}_record")
        try:
            with transaction.atomic():
                do(actor, resource, record_id, version=wanted["version"], reason=wanted["reason"])
        except Invalid as invalid:
            show_problems(form, invalid)
        except Conflict:
            conflict = True
        else:
            undo = reverse(f"{resource.name}_{deed.back}", args=[record_id])
            said = str(deed.done) % {"thing": resource.label}
            toasts.say_undoable(request, said, undo=undo, version=wanted["version"] + 1)
            return HttpResponseRedirect(record_url(resource, record_id))
    return deed_page(request, resource, record, form, "state", conflict=conflict, words=deed)


def take_back(request: Passage, resource: ResourceType, record_id: int, back: str) -> HttpResponse:
    """Take a state back, on the version that was looked at."""
    deed = BY_BACK[back]
    undo = getattr(actions, f"{back}_record")
    undo(request.actor, resource, record_id, version=number(request.POST.get("version")))
    messages.success(request, str(deed.taken_back) % {"thing": resource.label})
    if queries.visible_titles(request.actor, resource, [record_id]):
        return HttpResponseRedirect(record_url(resource, record_id))
    return HttpResponseRedirect(reverse(f"{resource.name}_list"))
