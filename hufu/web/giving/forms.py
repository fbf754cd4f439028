"""What is asked when a role is given, ended, or given for another time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import principals
from hufu.access.actions import Principal
from hufu.access.giving import RoleFacts
from hufu.access.models import Role
from hufu.core.days import end_of
from hufu.core.errors import Invalid
from hufu.web.fields import reason_field, until_field
from hufu.web.numbers import LARGEST
from hufu.web.policy.presenters import risk_words
from hufu.web.principals import choices

# What is suggested as an end.
USUAL = timedelta(days=90)


class TermForm(forms.Form):
    """Until when, and why."""

    term = forms.ChoiceField(
        label=gettext_lazy("End"),
        choices=(
            ("day", gettext_lazy("on a day")),
            ("never", gettext_lazy("no end: until somebody takes it back")),
        ),
        widget=forms.RadioSelect,
    )
    until = until_field(required=False)
    reason = reason_field()

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("term") == "day" and not found.get("until") and "until" not in self.errors:
            self.add_error("until", _("Choose a day, or say that there is no end."))
        return found

    def ends_at(self) -> datetime | None:
        """Return when it ends; None for never."""
        return end_of(self.cleaned_data["until"]) if self.cleaned_data["term"] == "day" else None


class GiveForm(TermForm):
    """Which role, to whom, until when, why. Levels are offered only as long as they are no definition."""

    role = forms.ChoiceField(label=gettext_lazy("Role"))
    who = forms.IntegerField(label=gettext_lazy("Colleague"), required=False, min_value=1, max_value=LARGEST)
    many = forms.ChoiceField(label=gettext_lazy("Or several at once"), required=False)
    # What was shown of the effect: nothing is given unseen.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("role", "who", "many", "term", "until", "reason", "seen")

    def __init__(
        self,
        roles: Iterable[RoleFacts],
        data: Any,
        *,
        to_many: bool,
        levels: bool,
        initial: Mapping[str, Any],
    ) -> None:
        usual = {"term": "day", "until": (localdate() + USUAL).isoformat()}
        super().__init__(data, initial={**usual, **initial})
        self._roles = {str(facts.role.pk): facts for facts in roles}
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *(
                (number, f"{facts.role.name} · {risk_words(facts.risk)[0]}")
                for number, facts in self._roles.items()
            ),
        ]
        offered = choices() if to_many else []
        if not levels:
            offered = [
                (label, options) for label, options in offered if not options[0][0].startswith("level:")
            ]
        self.fields["many"].choices = [("", "—"), *offered]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if (
            "who" not in self.errors
            and "many" not in self.errors
            and (found.get("who") is None) == (not found.get("many"))
        ):
            self.add_error("who", _("Choose a colleague, or several at once in the list below."))
        elif not self.errors and self.recipient() is None:
            self.add_error("who", _("Choose one of the list."))
        return found

    def facts(self) -> RoleFacts | None:
        """Return the role that is chosen, wherever else the form is wrong."""
        return self._roles.get(str(self["role"].value() or ""))

    def chosen_role(self) -> Role | None:
        """Return the role that is chosen."""
        facts = self.facts()
        return facts.role if facts else None

    def recipient(self) -> Principal | None:
        """Return the recipient that is chosen, wherever else the form is wrong."""
        who, many = str(self["who"].value() or ""), str(self["many"].value() or "")
        if bool(who) == bool(many):
            return None
        try:
            return principals.read(many or f"user:{who}")
        except Invalid:
            return None


class ReasonForm(forms.Form):
    """Why: the log keeps it."""

    reason = reason_field()
