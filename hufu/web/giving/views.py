"""Giving a role, taking one back, and letting it end on another day: each is shown before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import actions, giving, guard
from hufu.access.actions import Principal
from hufu.access.giving import RoleFacts
from hufu.access.models import Assignment, Role, Version
from hufu.access.policy_words import permission_words
from hufu.access.registry import Risk
from hufu.audit import record
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.web import principals, toasts
from hufu.web.giving import effects
from hufu.web.giving.effects import Effects
from hufu.web.giving.forms import GiveForm, ReasonForm, TermForm
from hufu.web.numbers import number as number_of
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.people import directory
from hufu.web.policy.presenters import risk_words
from hufu.web.records.forms import show_problems
from hufu.web.records.pickers import OFFERED, person_choice
from hufu.web.records.views.deeds import chosen_people
from hufu.web.records.views.editing import sent

# Of a role so many permissions are named.
NAMED = 6


@dataclass(frozen=True)
class Preview:
    """A role and what giving it would do: `effects` is None for whoever may not view roles, `refused` says why not."""

    facts: RoleFacts
    summary: str
    risk: str
    tone: str
    seen: str = ""
    effects: Effects | None = None
    refused: tuple[str, ...] = ()
    nothing: bool = False

    @property
    def is_high(self) -> bool:
        return self.facts.risk is Risk.HIGH


@page("role.assign", of_record=True, methods=("GET", "POST"), limit="sensitive")
def give_page(request: Passage) -> HttpResponse:
    """Ask which role is given to whom, show what that adds, and give it."""
    form = _form(request)
    shown: Preview | None = None
    if request.method == "POST":
        complete = form.is_valid()
        _require_may(request, form)
        role, to = form.chosen_role(), form.recipient()
        if role is not None and to is not None:
            unseen = not complete or form.cleaned_data["seen"] != _seen(role, to)
            done = None if unseen else _give(request, form, role, to)
            if done is not None:
                return done
            shown = _preview(request, form)
    elif form.chosen_role() is not None:
        shown = _preview(request, form)
    return render(request, "giving/give.html", _context(request, form, shown))


@page("role.assign", of_record=True, methods=("POST",), limit="lists")
def preview(request: Passage) -> HttpResponse:
    """Show what giving the chosen role to the chosen people adds, as a part of the page."""
    form = _form(request)
    _require_may(request, form)
    return render(request, "giving/preview.html", {"preview": _preview(request, form)})


@page("role.assign", of_record=True, limit="lists")
def people(request: Passage) -> HttpResponse:
    """Offer the colleagues to whom the actor may give some role."""
    giving.require_giver(request.actor)
    found = giving.possible_recipients(request.actor).order_by("name_sort", "id")
    found = directory.narrowed(found, request.GET.get("q", "")[:100])
    choices = [person_choice(person) for person in found[:OFFERED]]
    return render(request, "records/choices.html", {"choices": choices, "name": "who", "searched": True})


@page("role.assign", of_record=True, methods=("GET", "POST"), limit="sensitive")
def end_page(request: Passage, number: int) -> HttpResponse:
    """Show who loses what when a role is taken back, and take it back."""
    actor = request.actor
    row = giving.find(actor, number)
    actions.require_may_end(actor, row)
    form = ReasonForm(sent(request))
    words = principals.words(row)
    if request.method == "POST" and form.is_valid():
        try:
            giving.take_back(actor, row, reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(
                request,
                _("“%(role)s” is taken back from %(name)s.") % {"role": row.role.name, "name": words[0]},
            )
            return HttpResponseRedirect(_back(request, row))
    try:
        found = giving.would_take(actor, row)
    except Invalid as invalid:
        found = None
        if not form.errors:
            show_problems(form, invalid)
    record(
        actor,
        "assignment.previewed",
        data={"role": row.role.key, "principal": str(actions.given_to(row))},
    )
    return render(
        request,
        "giving/end.html",
        {
            "row": row,
            "name": words[0],
            "kind": words[1],
            "form": form,
            "back": _back(request, row),
            "effects": None if found is None else effects.in_words(found),
        },
    )


@page("role.assign", of_record=True, methods=("GET", "POST"), limit="sensitive")
def until_page(request: Passage, number: int) -> HttpResponse:
    """Let a role that was given end earlier, later, or not at all."""
    actor = request.actor
    row = giving.find(actor, number)
    guard.authorize(actor, "role.assign")
    standing = {"term": "day" if row.ends_at else "never"}
    form = TermForm(sent(request), initial=standing)
    words = principals.words(row)
    if request.method == "POST" and form.is_valid():
        try:
            giving.change_end(actor, row, ends_at=form.ends_at(), reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            problems = {"until" if name == "ends_at" else name: of for name, of in invalid.problems.items()}
            show_problems(form, Invalid(problems))
        else:
            messages.success(
                request,
                _("The end of “%(role)s” for %(name)s is changed.")
                % {"role": row.role.name, "name": words[0]},
            )
            return HttpResponseRedirect(_back(request, row))
    return render(
        request,
        "giving/until.html",
        {"row": row, "name": words[0], "kind": words[1], "form": form, "back": _back(request, row)},
    )


@page("role.assign", of_record=True, methods=("POST",), limit="sensitive")
def undo(request: Passage, number: int) -> HttpResponse:
    """Take back what one gave a moment ago."""
    row = giving.undo(request.actor, number)
    messages.success(
        request,
        _("Undone: “%(role)s” is taken back from %(name)s.")
        % {"role": row.role.name, "name": principals.words(row)[0]},
    )
    return HttpResponseRedirect(_back(request, row))


def _form(request: Passage) -> GiveForm:
    actor = request.actor
    giving.require_giver(actor)
    roles = giving.givable_roles(actor)
    facts = giving.facts_of(roles)
    everywhere = guard.may(actor, "role.assign")
    named = {"role": request.GET.get("role", "")}
    if who := number_of(request.GET.get("to")):
        named["who"] = str(who)
    return GiveForm(
        [facts[role.pk] for role in roles],
        sent(request),
        to_many=everywhere,
        levels=not Version.objects.exists(),
        initial=named,
    )


def _require_may(request: Passage, form: GiveForm) -> None:
    """Raise Denied for a role or a recipient that the form did not offer."""
    role, to = Role.objects.filter(pk=number_of(form["role"].value())).first(), form.recipient()
    if role is not None and to is not None:
        actions.require_may_assign(request.actor, role, to)


def _seen(role: Role, to: Principal) -> str:
    return f"{role.pk} {to}"


def _preview(request: Passage, form: GiveForm) -> Preview | None:
    facts, to = form.facts(), form.recipient()
    if facts is None:
        return None
    named = [permission_words(name) for name in facts.permissions[:NAMED]]
    more = len(facts.permissions) - len(named)
    summary = _(", ").join(named)
    if more > 0:
        summary += _(" and %s more") % more
    shown = Preview(facts, summary, *risk_words(facts.risk))
    if to is None:
        return shown
    refused: tuple[str, ...] = ()
    found = None
    try:
        found = giving.would_add(request.actor, facts.role, to=to)
    except Invalid as invalid:
        refused = tuple(str(said) for problems in invalid.problems.values() for said in problems)
    record(request.actor, "assignment.previewed", data={"role": facts.role.key, "principal": str(to)})
    return Preview(
        facts,
        summary,
        shown.risk,
        shown.tone,
        "" if refused else _seen(facts.role, to),
        None if found is None else effects.in_words(found),
        refused,
    )


def _give(request: Passage, form: GiveForm, role: Role, to: Principal) -> HttpResponse | None:
    """Give the role and return the way on; None where it is refused in words, which the form then shows."""
    try:
        given = giving.give(
            request.actor, role, to=to, reason=form.cleaned_data["reason"], ends_at=form.ends_at()
        )
    except Invalid as invalid:
        show_problems(form, invalid)
        return None
    toasts.say_undoable(
        request,
        _("“%(role)s” is given to %(name)s.") % {"role": role.name, "name": principals.words(given)[0]},
        undo=reverse("roles_given_undo", args=[given.pk]),
        version=0,
    )
    return HttpResponseRedirect(_back(request, given))


def _back(request: Passage, row: Assignment) -> str:
    """Return where one goes on: to the person, where one may look at people, or to all that is given."""
    actor = request.actor
    if row.user_id is not None and guard.may(actor, "user.view"):
        return reverse("person", args=[row.user_id])
    return reverse("roles_given") if guard.may(actor, "role.view") else reverse("roles_give")


def _context(request: Passage, form: GiveForm, shown: Preview | None) -> dict[str, object]:
    who = form["who"].value()
    person = User.objects.filter(pk=number_of(who)).first() if who else None
    return {
        "form": form,
        "preview": shown,
        "chosen": chosen_people(who),
        "person": person,
        "to_many": len(form.fields["many"].choices) > 1,  # type: ignore[attr-defined]
        "may_view_people": guard.may(request.actor, "user.view"),
        "may_view_roles": guard.may(request.actor, "role.view"),
    }
