"""What administrators do with an account: suspend it, open it again, make a link, end sessions, devices, trust."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard
from hufu.core.errors import Invalid, NotFound
from hufu.people import sessions
from hufu.people.models import User
from hufu.staffing import actions
from hufu.staffing import devices as device_deeds
from hufu.staffing import sessions as session_deeds
from hufu.staffing.invitations import invite
from hufu.web.accounts.browsers import say_forgotten
from hufu.web.accounts.sessions import say_ended
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.forms import show_problems


class ReasonForm(forms.Form):
    """Why: the log keeps it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


@page("user.manage", methods=("GET", "POST"), limit="sensitive")
def suspend_page(request: Passage, number: int) -> HttpResponse:
    """Say what suspending somebody does, and do it."""
    person = somebody_else(request, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            ended = actions.suspend(request.actor, person, reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(
                request,
                _("%(name)s is suspended. Open sessions that ended: %(count)s.")
                % {"name": person.name, "count": ended},
            )
            return back_to(person)
    count = sessions.open_sessions(person.pk).count()
    return render(request, "people/suspend.html", {"person": person, "form": form, "sessions": count})


@page("user.manage", methods=("GET", "POST"), limit="sensitive")
def reactivate_page(request: Passage, number: int) -> HttpResponse:
    """Say what opening an account again does, and do it."""
    person = somebody_else(request, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.reactivate(request.actor, person, reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(request, _("The account of %s is open again.") % person.name)
            return back_to(person)
    return render(request, "people/reactivate.html", {"person": person, "form": form})


@page("user.manage", methods=("POST",), limit="sensitive")
def end_session(request: Passage, number: int, session: int) -> HttpResponse:
    """End one session of somebody."""
    person = somebody(number)
    session_deeds.end_session(request.actor, session, user_id=person.pk)
    say_ended(request, 1)
    return back_to(person)


@page("user.manage", methods=("POST",), limit="sensitive")
def end_sessions(request: Passage, number: int) -> HttpResponse:
    """End all sessions of somebody else."""
    person = somebody_else(request, number)
    say_ended(request, session_deeds.end_sessions(request.actor, user_id=person.pk))
    return back_to(person)


@page("user.manage", methods=("GET", "POST"), limit="sensitive")
def link_page(request: Passage, number: int) -> HttpResponse:
    """Say what a link to choose a password does, and show it this once."""
    person = somebody_else(request, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = invite(request.actor, person, reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            return render(request, "people/link_made.html", {"person": person, "made": made})
    return render(request, "people/link.html", {"person": person, "form": form})


@page("user.manage", methods=("POST",), limit="sensitive")
def forget_device(request: Passage, number: int, device: int) -> HttpResponse:
    """Forget a device of somebody and end what is open in it."""
    person = somebody(number)
    say_forgotten(request, device_deeds.forget_device(request.actor, device, user_id=person.pk))
    return back_to(person)


@page("role.manage", methods=("POST",), limit="sensitive")
def end_device_trust(request: Passage, number: int, device: int) -> HttpResponse:
    """Let a device of somebody not be trusted any longer."""
    person = somebody(number)
    device_deeds.end_trust(request.actor, device, user_id=person.pk)
    messages.success(request, _("It is not a trusted device any more."))
    return back_to(person)


def somebody(number: int) -> User:
    """Return the account of this number, or raise NotFound."""
    person = User.objects.select_related("main_department").filter(pk=number).first()
    if person is None:
        raise NotFound(_("There is no such page, or you may not view it."))
    return person


def somebody_else(request: Passage, number: int) -> User:
    """Return the account of this number; raise Denied for one's own."""
    person = somebody(number)
    if person.pk == request.actor.user_id:
        raise guard.denied(request.actor, "user.manage")
    return person


def back_to(person: User) -> HttpResponse:
    """Return the way back to the page of a person."""
    return HttpResponseRedirect(reverse("person", args=[person.pk]))
