"""The fields that many forms ask alike: why, and until which day."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hufu.access import reasons
from hufu.core.days import DAYS

IN_THE_LOG = _("It stands in the log.")


def reason_field(help_text: Any = IN_THE_LOG, *, required: bool = True) -> forms.CharField:
    """Return the field that asks why."""
    return forms.CharField(
        label=_("Reason"),
        max_length=reasons.LONGEST,
        required=required,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def until_field(*, required: bool = True, help_text: Any = "", initial: Any = None) -> forms.DateField:
    """Return the field that asks for the last day on which something holds."""
    return forms.DateField(
        label=_("Until (the day included)"),
        required=required,
        validators=DAYS,
        help_text=help_text,
        initial=initial,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
