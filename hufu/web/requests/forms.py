"""The forms of access requests: to ask, and to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy

from hufu.access import requests
from hufu.access.models import Role
from hufu.access.request_models import AccessRequest
from hufu.core.days import last_day
from hufu.web.fields import reason_field, until_field

A_WHILE = timedelta(days=30)


def _in_a_while() -> Any:
    return localdate() + A_WHILE


class AskForm(forms.Form):
    """What for, until when, why."""

    access = forms.ChoiceField(
        label=gettext_lazy("I need to"), choices=AccessRequest.Access.choices, widget=forms.RadioSelect
    )
    until = until_field(initial=_in_a_while)
    reason = reason_field(gettext_lazy("Whoever decides reads it, and it stands in the log."))

    def __init__(self, data: Any, *, access: str = "", of_record: bool = True) -> None:
        super().__init__(data, initial={"access": access or AccessRequest.Access.READ.value})
        if not of_record:
            del self.fields["access"]


class AnswerForm(forms.Form):
    """What is given (access, or a role), until when, and a word to whoever asked."""

    access = forms.ChoiceField(label=gettext_lazy("They may"), widget=forms.RadioSelect, required=False)
    role = forms.ChoiceField(label=gettext_lazy("Role"), required=False)
    ends = until_field(required=False)
    reason = forms.CharField(
        label=gettext_lazy("Your answer"),
        required=False,
        max_length=requests.LONGEST_REASON,
        help_text=gettext_lazy("Whoever asked reads it, and it stands in the log. To reject, say why."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, data: Any, request: AccessRequest, *, roles: Sequence[Role], may_edit: bool) -> None:
        asked = last_day(request.until) or localdate(request.until)
        super().__init__(data, initial={"ends": asked, "access": request.access if may_edit else "read"})
        if request.permission:
            del self.fields["access"]
            self.fields["role"].choices = [(str(role.pk), role.name) for role in roles]  # type: ignore[attr-defined]
        else:
            del self.fields["role"]
            offered = [each for each in AccessRequest.Access if each.value == "read" or may_edit]
            self.fields["access"].choices = [(each.value, each.label) for each in offered]  # type: ignore[attr-defined]
