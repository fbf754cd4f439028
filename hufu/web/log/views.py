"""The log, for the audit administrator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from hufu.audit import queries
from hufu.audit.events import all_types
from hufu.audit.queries import LogFilter
from hufu.core.actor import OPERATOR_ID
from hufu.core.days import DAYS, beginning_of, end_of
from hufu.people.models import User
from hufu.web.log.presenters import RESULTS, lines
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.people import directory


class LogForm(forms.Form):
    """What to look for."""

    type = forms.ChoiceField(label=_("What happened"), required=False)
    person = forms.CharField(label=_("Who"), required=False, max_length=100)
    result = forms.ChoiceField(
        label=_("Result"),
        required=False,
        choices=[("", _("All")), *((name, label) for name, (label, _tone) in RESULTS.items())],
    )
    since = forms.DateField(
        label=_("From"), required=False, validators=DAYS, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("Up to and including"),
        required=False,
        validators=DAYS,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        kinds = sorted(((kind.name, str(kind.label)) for kind in all_types()), key=lambda pair: pair[0])
        self.fields["type"].choices = [("", _("All")), *kinds]  # type: ignore[attr-defined]
        self.fields["person"].widget.attrs.update(
            {"placeholder": _("Name, pinyin or user name"), "autocomplete": "off"}
        )

    def clean_person(self) -> int | None:
        """Find the one person that was typed."""
        text = self.cleaned_data["person"].strip()
        if not text:
            return None
        if text.lower() == "operator":
            return OPERATOR_ID
        found = list(User.objects.filter(username=text)[:1]) or list(User.objects.filter(name=text)[:2])
        found = found or list(directory.narrowed(User.objects.order_by("id"), text)[:2])
        if len(found) != 1:
            raise forms.ValidationError(
                _("Nobody is called “%(text)s”.") % {"text": text}
                if not found
                else _("Several people are called “%(text)s”. Type the user name.") % {"text": text}
            )
        return found[0].pk

    def wanted(self) -> LogFilter:
        """Return the filter; days are whole days of this company's time."""
        asked = self.cleaned_data
        return LogFilter(
            types=[asked["type"]] if asked.get("type") else [],
            actor_user_id=asked.get("person"),
            result=asked.get("result") or "",
            since=beginning_of(asked["since"]) if asked.get("since") else None,
            until=end_of(asked.get("until")),
        )


@page("audit.view", limit="lists")
def log_page(request: Passage) -> HttpResponse:
    """Show the log, newest first."""
    actor = request.actor
    form = LogForm(request.GET)
    if not form.is_valid():
        return render(request, "log/list.html", {"form": form, "lines": [], "is_narrowed": True}, status=422)
    found = queries.events(actor, filters=form.wanted(), cursor=request.GET.get("cursor") or None)
    return render(
        request,
        "log/list.html",
        {
            "form": form,
            "lines": lines(found.entries),
            "next_cursor": found.next_cursor,
            "is_narrowed": any(request.GET.get(name) for name in form.fields),
            "is_later_page": bool(request.GET.get("cursor")),
        },
    )


@page("audit.view")
def entry_page(request: Passage, event_id: UUID) -> HttpResponse:
    """Show one entry."""
    actor = request.actor
    return render(request, "log/entry.html", {"line": lines([queries.entry(actor, event_id)])[0]})
