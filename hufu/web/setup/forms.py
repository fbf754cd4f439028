"""What the set-up page asks for, step by step."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from hufu.access.models import Administrator, Mode
from hufu.core.errors import Invalid
from hufu.staffing.actions import Person
from hufu.staffing.administrators import LONGEST_MAIL, LONGEST_NAME, LONGEST_USERNAME, checked

POSTS = (Administrator.SYSTEM, Administrator.SECURITY, Administrator.AUDIT)
DUTIES = {
    Administrator.SYSTEM: _("People, departments and settings. Gives no rights."),
    Administrator.SECURITY: _("Roles and who holds them."),
    Administrator.AUDIT: _("Reads the log of everything that happens. Always somebody else."),
}
# Field → what its values are called in the deed.
PARTS = ("name", "username", "email")


class CodeForm(forms.Form):
    """The code from the server's terminal."""

    code = forms.CharField(
        label=_("Set-up code"),
        max_length=64,
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "autofocus": True}
        ),
        help_text=_(
            "Five groups of four letters and digits. Capitals, spaces and dashes make no difference."
        ),
    )


class CompanyForm(forms.Form):
    """Language, name and mode."""

    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of these pages and of the names of the first roles. Everybody chooses their own later."),
    )
    name = forms.CharField(
        label=_("Company name"), max_length=LONGEST_NAME, widget=forms.TextInput({"autofocus": True})
    )
    mode = forms.ChoiceField(label=_("Administration"), choices=Mode.choices, widget=forms.RadioSelect)


class PeopleForm(forms.Form):
    """Who becomes what. In standard mode the system administrator is security administrator, too, if nobody else is."""

    def __init__(self, *args: Any, mode: Mode, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mode = mode
        for post in POSTS:
            needed = self.must_be_named(post)
            self.fields[f"{post.value}_name"] = forms.CharField(
                label=_("Name"), max_length=LONGEST_NAME, required=needed
            )
            self.fields[f"{post.value}_username"] = forms.CharField(
                label=_("User name"),
                max_length=LONGEST_USERNAME,
                required=needed,
                help_text=_("For signing in: letters, digits and @ . + - _"),
            )
            self.fields[f"{post.value}_email"] = forms.CharField(
                label=_("Mail address (may be empty)"), max_length=LONGEST_MAIL, required=False
            )
            for part in PARTS:
                self.fields[f"{post.value}_{part}"].widget.attrs.update(
                    {"autocomplete": "off", "spellcheck": "false"}
                )
            self.fields[f"{post.value}_username"].widget.attrs["autocapitalize"] = "none"
        self.fields["system_name"].widget.attrs["autofocus"] = True

    def must_be_named(self, post: Administrator) -> bool:
        """Say whether somebody has to be named for a post."""
        return self.mode.conforms or post is not Administrator.SECURITY

    def clean(self) -> dict[str, Any]:
        """Check each person as an account would be made from them."""
        cleaned = super().clean() or {}
        for post in POSTS:
            values = {part: cleaned.get(f"{post.value}_{part}") for part in PARTS}
            if not any(values.values()) and not self.must_be_named(post):
                continue
            for part in ("name", "username"):
                field = f"{post.value}_{part}"
                if not values[part] and field not in self.errors:
                    self.add_error(field, self.fields[field].error_messages["required"])
            if values["username"]:
                self._check(post)
        return cleaned

    def posts(self) -> dict[Administrator, Person]:
        """Return who becomes what."""
        people = {post: self._person(post) for post in POSTS}
        named = {post: person for post, person in people.items() if person.username}
        return {post: named.get(post, named[Administrator.SYSTEM]) for post in POSTS}

    def refuse(self, invalid: Invalid) -> None:
        """Show what the deed found wrong beside the post that it is about."""
        for place, messages in invalid.problems.items():
            field = f"{place}_username" if f"{place}_username" in self.fields else None
            self.add_error(field, [str(message) for message in messages])

    def groups(self) -> list[dict[str, Any]]:
        """Return the fields post by post, as the page shows them."""
        return [
            {
                "label": post.label,
                "duty": DUTIES[post],
                "optional": not self.must_be_named(post),
                "fields": [self[f"{post.value}_{part}"] for part in PARTS],
            }
            for post in POSTS
        ]

    def _person(self, post: Administrator) -> Person:
        name, username, email = (self.cleaned_data.get(f"{post.value}_{part}") or "" for part in PARTS)
        return Person(username=username, name=name, email=email)

    def _check(self, post: Administrator) -> None:
        try:
            checked(self._person(post))
        except Invalid as invalid:
            for part, messages in invalid.problems.items():
                if f"{post.value}_{part}" not in self.errors:
                    self.add_error(f"{post.value}_{part}", [str(message) for message in messages])
