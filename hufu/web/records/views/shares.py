"""Sharing a record by hand: with whom, for what, until when, why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, principals
from hufu.access.actions import Principal
from hufu.access.models import TeamMember
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.days import end_of
from hufu.core.errors import Invalid
from hufu.crm import actions, share_notes
from hufu.people.models import User
from hufu.web.fields import reason_field, until_field
from hufu.web.numbers import LARGEST, LARGEST_ID, number
from hufu.web.passage import Passage
from hufu.web.principals import choices
from hufu.web.records.forms import show_problems
from hufu.web.records.views.deeds import chosen_people, deed_page, still_there
from hufu.web.records.views.editing import sent
from hufu.web.records.views.tabs import opens_nothing

# What the form does but share: ask for admission; and either of them, though it opens nothing.
ASKING = ("ask", "ask_anyway")
ANYWAY = ("anyway", "ask_anyway")


class ShareForm(forms.Form):
    """With whom, for what, with whom else, until when, why."""

    who = forms.IntegerField(label=gettext_lazy("Colleague"), required=False, min_value=1, max_value=LARGEST)
    many = forms.ChoiceField(label=gettext_lazy("Or several at once"), required=False)
    access = forms.ChoiceField(label=gettext_lazy("They may"), widget=forms.RadioSelect)
    superiors = forms.ChoiceField(
        label=gettext_lazy("Their superiors"),
        required=False,
        choices=(
            ("", gettext_lazy("do not get it by this")),
            ("1", gettext_lazy("get it, too: whoever stands above them in the reporting line")),
        ),
        widget=forms.RadioSelect,
    )
    until = until_field(required=False, help_text=gettext_lazy("Empty: until somebody ends it."))
    reason = reason_field()

    def __init__(self, resource: ResourceType, *, may_edit: bool, data: Any) -> None:
        super().__init__(data, initial={"access": TeamMember.Access.READ.value, "superiors": ""})
        wanted = TeamMember.Access if may_edit else [TeamMember.Access.READ]
        self.fields["access"].choices = [(each.value, each.label) for each in wanted]  # type: ignore[attr-defined]
        self.fields["many"].choices = [("", "—"), *choices()]  # type: ignore[attr-defined]
        self.along = [other for other, _declared in resource.takes_along()]
        for other in self.along:
            self.fields[f"along_{other.name}"] = forms.ChoiceField(
                label=other.label_plural,
                required=False,
                choices=(
                    ("", _("are not shared by this")),
                    ("1", _("come along: those that belong to it now and that you may share")),
                ),
                widget=forms.RadioSelect,
            )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and (found["who"] is None) == (not found["many"]):
            self.add_error("who", _("Choose a colleague, or several at once in the list below."))
        return found

    def taken_along(self) -> list[str]:
        """Return the types that come along."""
        return [other.name for other in self.along if self.cleaned_data[f"along_{other.name}"]]

    def bound_along(self) -> list[forms.BoundField]:
        """Return the fields that ask what comes along."""
        return [self[f"along_{other.name}"] for other in self.along]


def share_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Ask with whom a record is to be shared, or share it."""
    actor = request.actor
    record = guard.get(actor, resource.permission("share"), record_id)
    may_edit = guard.may_give_edit(actor, resource, record)
    form = ShareForm(resource, may_edit=may_edit, data=sent(request))
    outside: User | None = None
    idle = said = ""
    if request.method == "POST" and form.is_valid():
        deed, to = request.POST.get("do"), None
        try:
            to = principals.read(form.cleaned_data["many"] or f"user:{form.cleaned_data['who']}")
            with transaction.atomic():
                if deed in ASKING and to.user is None:
                    raise Invalid({"many": [_("Admission is asked for one person: choose a colleague.")]})
                if deed in ANYWAY or not (idle := _idle(actor, resource, record, form, to)):
                    if deed in ASKING and to.user is not None:
                        said = _ask(actor, resource, record, form, to.user)
                    else:
                        said = _share(actor, resource, record, form, to)
        except actions.OutsideWall:
            outside = to.user if to else None
        except Invalid as invalid:
            # Where only the day is missing, what was offered is offered again.
            outside = to.user if to and deed in ASKING and "to" not in invalid.problems else None
            renamed = {"to": "who", "ends_at": "until"}
            show_problems(
                form, Invalid({renamed.get(name, name): of for name, of in invalid.problems.items()})
            )
        if said:
            messages.success(request, said)
            return HttpResponseRedirect(reverse(f"{resource.name}_team", args=[record_id]))
    return deed_page(
        request,
        resource,
        record,
        form,
        "share",
        conflict=False,
        chosen=chosen_people(form["who"].value()),
        outside=outside,
        idle=idle,
        asking=request.POST.get("do") in ASKING,
    )


def _idle(actor: Actor, resource: ResourceType, record: Any, form: ShareForm, to: Principal) -> str:
    """Return why the share would open nothing to those whom it names; empty where it would open what it says."""
    wanted = form.cleaned_data
    lacking = share_notes.lacking(
        actor, resource, record.pk, to, wanted["access"], superiors=bool(wanted["superiors"])
    )
    return opens_nothing(to.user, lacking) if lacking else ""


def _share(actor: Actor, resource: ResourceType, record: Any, form: ShareForm, to: Principal) -> str:
    wanted = form.cleaned_data
    actions.share_record(
        actor,
        resource,
        record.pk,
        to=to,
        access=wanted["access"],
        superiors=bool(wanted["superiors"]),
        ends_at=end_of(wanted["until"]),
        along=form.taken_along(),
        reason=wanted["reason"],
    )
    return _("“%s” is shared.") % getattr(record, resource.title)


def _ask(actor: Actor, resource: ResourceType, record: Any, form: ShareForm, to: User) -> str:
    """Ask the partition's owner to let this one share across: neither superiors nor what would come along."""
    wanted = form.cleaned_data
    actions.ask_across(
        actor,
        resource,
        record.pk,
        to=to,
        access=wanted["access"],
        ends_at=end_of(wanted["until"]),
        reason=wanted["reason"],
    )
    return _(
        "The owner of the partition is asked. Until they let it across, the share opens nothing; you find the answer "
        "under Access requests."
    )


def end_share(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """End a share; one to whom it was given may lose sight of the record."""
    share = number(request.POST.get("share"), largest=LARGEST_ID)
    if actions.end_share(request.actor, resource, record_id, share):
        messages.success(request, _("The share has ended."))
    else:
        messages.info(request, _("There was nothing to end."))
    if still_there(request, resource, record_id) != reverse(f"{resource.name}_list"):
        return HttpResponseRedirect(reverse(f"{resource.name}_team", args=[record_id]))
    return HttpResponseRedirect(reverse(f"{resource.name}_list"))
