"""Forms made from the fields that a type declares. Values are read by hufu.crm.values, as everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from hufu.access import guard
from hufu.access.fields import FieldAccess, masked
from hufu.access.registry import Field, Kind, ResourceType, resource_type
from hufu.core import money
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm import queries, values
from hufu.crm.actions import FormerOwner
from hufu.web.fields import reason_field
from hufu.web.numbers import LARGEST, LARGEST_ID, number

WRITABLE = {FieldAccess.EDITABLE, FieldAccess.MASKED}
# Set by the import, which finds its records again by it.
IMPORT_KEY = "external_id"
# What a form sends for a reference that stays and whose target this person may not see.
KEEP = "keep"


class RecordForm(forms.Form):
    """The fields of a record that this person may write. A masked one is replaced blind, or left as it is.

    The form of a stored record carries what it showed (`was`): only fields that were changed since are stored, and
    after a conflict only those stand as typed. `was` is believed about what its sender saw, never about rights.
    """

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, actor: Actor, resource: ResourceType, record: Any = None, data: Any = None) -> None:
        self.actor = actor
        self.resource = resource
        self.record = record
        self.access = guard.fields_to_write(actor, resource, record)
        self.declared = [
            declared
            for declared in resource.editable_fields()
            if self.access[declared.name] in WRITABLE and declared.name != IMPORT_KEY
        ]
        super().__init__(data, initial=self._stored())
        self.was = shown_before(self.data.get("was", "")) if record is not None else {}
        for declared in self.declared:
            self.fields[declared.name] = control(declared, required=self._is_required(declared))
            if self.is_blind(declared):
                shape = masked(declared, getattr(record, declared.column))
                self.fields[declared.name].widget.attrs["placeholder"] = shape
                self.fields[declared.name].help_text = _("Masked. Leave it empty to keep what is there.")

    def is_blind(self, declared: Field) -> bool:
        """Say whether the stored value is one that this person may replace but not read."""
        return self.record is not None and self.access[declared.name] is FieldAccess.MASKED

    def read(self) -> dict[str, Any]:
        """Return the values to store, of the fields that were sent; raise Invalid with all that is wrong."""
        self.is_valid()
        typed = {
            declared.name: str(self.data[declared.name])
            for declared in self.declared
            if declared.name in self.data and not self.is_untouched(declared.name)
        }
        for declared in self.declared:
            if self.is_blind(declared) and not typed.get(declared.name, "").strip():
                typed.pop(declared.name, None)
        references = {
            declared.name: typed.pop(declared.name)
            for declared in self.declared
            if declared.kind is Kind.REFERENCE and declared.name in typed
        }
        read = values.parse_all(self.resource, typed, creating=self.record is None)
        for name, text in references.items():
            if text == KEEP and self.record is not None:
                continue
            if text and not number(text, largest=LARGEST_ID):
                raise Invalid({name: [_("Choose one of the list.")]})
            read[name] = number(text, largest=LARGEST_ID) or None
        return read

    def is_untouched(self, name: str) -> bool:
        """Say whether the field was sent just as it was shown."""
        return name in self.was and same_text(self.was[name], str(self.data.get(name, "")))

    def shown(self) -> dict[str, str]:
        """Return the value of each field as this person is shown it now; a hidden reference is `keep`."""
        stored = {name: str(value) for name, value in self._stored().items() if name in self.fields}
        stored.pop("version", None)
        for declared in self.declared:
            if (
                declared.kind is Kind.REFERENCE
                and declared.reference is not None
                and stored.get(declared.name)
            ):
                other = resource_type(declared.reference)
                is_seen = guard.may(self.actor, other.permission("view")) and queries.visible_titles(
                    self.actor, other, [int(stored[declared.name])]
                )
                stored[declared.name] = stored[declared.name] if is_seen else KEEP
        return stored

    def was_json(self) -> str:
        """Return what the form carries so that its changes can be told from others' changes."""
        return json.dumps(self.shown(), ensure_ascii=False)

    def merged(self) -> RecordForm:
        """Return the form after a conflict: what was changed in it as typed, all else as it is stored now."""
        data = dict(self.data.items())
        for name, text in self.shown().items():
            if self.is_untouched(name):
                data[name] = text
        merged = RecordForm(self.actor, self.resource, self.record, data=data)
        merged.was = self.was
        return merged

    def stale_fields(self) -> list[tuple[str, str, bool]]:
        """Return, after a conflict, what others changed: label, value now, and whether it was changed here, too."""
        now = self.shown()
        return [
            (
                str(declared.label),
                self._in_words(declared, now.get(declared.name, "")),
                not same_text(now.get(declared.name, ""), str(self.data.get(declared.name, ""))),
            )
            for declared in self.declared
            if not self.is_blind(declared)
            and declared.kind is not Kind.REFERENCE
            and declared.name in self.data
            and not same_text(
                now.get(declared.name, ""), self.was.get(declared.name, str(self.data.get(declared.name, "")))
            )
        ]

    def _in_words(self, declared: Field, text: str) -> str:
        return str(declared.choice_label(text)) if declared.kind is Kind.CHOICE and text else text

    def _is_required(self, declared: Field) -> bool:
        return declared.required and not self.is_blind(declared)

    def _stored(self) -> dict[str, Any]:
        if self.record is None:
            return {}
        stored = {
            declared.name: as_typed(declared, getattr(self.record, declared.column))
            for declared in self.declared
            if not self.is_blind(declared)
        }
        return {**stored, "version": self.record.lock_version}


def shown_before(text: str) -> dict[str, str]:
    """Return what a form says that it showed; nothing where it says nothing that makes sense."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    return {name: value for name, value in said.items() if isinstance(value, str)}


def same_text(one: str, other: str) -> bool:
    """Say whether two texts are the same to somebody who types: browsers send other line ends."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


class DeedForm(forms.Form):
    """What every deed on a record as a whole asks: why, and on which version."""

    reason = reason_field()
    version = forms.IntegerField(min_value=0, max_value=LARGEST, widget=forms.HiddenInput)


class TransferForm(DeedForm):
    """A new owner, why, and what becomes of the former one and of the department."""

    to = forms.IntegerField(
        label=_("New owner"),
        min_value=1,
        max_value=LARGEST,
        error_messages={
            name: _("Choose the new owner.") for name in ("required", "invalid", "min_value", "max_value")
        },
    )
    former_owner = forms.ChoiceField(
        label=_("The former owner"),
        required=False,
        choices=(
            (FormerOwner.LEAVES.value, _("leaves the record")),
            (FormerOwner.READS.value, _("stays in the related team and may view it")),
            (FormerOwner.EDITS.value, _("stays in the related team and may edit it")),
        ),
        widget=forms.RadioSelect,
    )
    keep_department = forms.ChoiceField(
        label=_("Department of the record"),
        required=False,
        choices=(("", _("becomes the new owner's main department")), ("1", _("stays as it is"))),
        widget=forms.RadioSelect,
    )


class MoveForm(DeedForm):
    """Another partition, and an owner who is admitted there."""

    partition = forms.ChoiceField(label=_("To the partition"), choices=())
    owner = forms.IntegerField(label=_("Owner there"), required=False, min_value=1, max_value=LARGEST)

    def __init__(self, places: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partition"] = forms.ChoiceField(label=_("To the partition"), choices=places)


class ReleaseForm(DeedForm):
    """Into which pool, and why."""

    def __init__(self, pools: list[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pool"] = forms.ChoiceField(label=_("Into the pool"), choices=pools)


class DiscloseForm(forms.Form):
    """Why a copy of a person's data is made."""

    reason = reason_field(_("It stands in the log. Do not name the person in it."))


class RevealForm(forms.Form):
    """Why a masked value is to be seen."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("It stands in the log. Do not name the person in it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PurgeForm(DeedForm):
    """The name of the record, typed: whoever types it knows what goes for good."""

    confirmation = forms.CharField(label=_("Name of the record"), max_length=300)

    def __init__(self, title: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = title

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if not same_text(typed, self.title):
            raise forms.ValidationError(_("This is not its name. Type it exactly as it stands above."))
        return typed


def show_problems(form: forms.Form, invalid: Invalid) -> None:
    """Put the problems of a deed beside their fields."""
    for name, messages in invalid.problems.items():
        for message in messages:
            form.add_error(name if name in form.fields else None, message)


def control(declared: Field, *, required: bool) -> forms.Field:
    """Return the control of a declared field; what was typed is checked by hufu.crm.values alone."""
    help_text = declared.help
    if declared.kind is Kind.CHOICE:
        options = [("", "—"), *declared.choices]
        made: forms.Field = forms.ChoiceField(choices=options, widget=forms.Select)
        made.validate = lambda value: None  # type: ignore[method-assign]
    else:
        made = forms.CharField(widget=widget(declared), strip=False)
    made.label, made.required, made.help_text = declared.label, False, help_text
    if required:
        made.must_be_filled = True  # type: ignore[attr-defined]
        made.widget.attrs["aria-required"] = "true"
    return made


def widget(declared: Field) -> forms.Widget:
    """Return the HTML control that suits a field."""
    limit = {"maxlength": declared.max_length}
    match declared.kind:
        case Kind.LONG_TEXT:
            return forms.Textarea(attrs={"rows": 4, **limit})
        case Kind.DATE:
            return forms.DateInput(attrs={"type": "date"})
        case Kind.INTEGER:
            return forms.TextInput(attrs={"inputmode": "numeric"})
        case Kind.MONEY:
            return forms.TextInput(attrs={"inputmode": "decimal"})
        case Kind.PHONE:
            return forms.TextInput(attrs={"type": "tel", **limit})
        case Kind.EMAIL:
            return forms.TextInput(attrs={"type": "email", **limit})
        case Kind.URL:
            return forms.TextInput(attrs={"inputmode": "url", **limit})
        case Kind.REFERENCE:
            return forms.HiddenInput()
        case _:
            return forms.TextInput(attrs=limit)


def as_typed(declared: Field, value: Any) -> str:
    """Return a stored value the way one would type it."""
    if value is None:
        return ""
    if declared.kind is Kind.MONEY:
        return str(money.from_minor(value)).removesuffix(".00")
    if declared.kind is Kind.DATE:
        return str(value.isoformat())
    return str(value)


def defaults(resource: ResourceType) -> Mapping[str, str]:
    """Return what a new record begins with: the first stage, the company's currency."""
    return {
        name: resource.by_name[name].choices[0][0]
        for name in ("stage", "currency")
        if name in resource.by_name
    }
