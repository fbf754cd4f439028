"""From text to values of declared fields: the same for forms, import and commands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext as _
from stdnum.cn import ric, uscc

from hufu.access.registry import Field, Kind, ResourceType
from hufu.core import money
from hufu.core.errors import Invalid
from hufu.core.text import is_visible

FEWEST_PHONE_DIGITS = 3
_MASKED = re.compile(r"[*＊#x]{2,}", re.IGNORECASE)
_PHONE = re.compile(r"\+?[0-9 ()/.,;#*x转分机-]+", re.IGNORECASE)


def parse(declared: Field, text: str) -> Any:
    """Return the value that `text` says, or None (or "") for no value; raise Invalid with what to do."""
    text = text.replace("\x00", "").strip()
    if not is_visible(text):
        return "" if declared.kind in _TEXTS else None
    if declared.kind is Kind.INTEGER:
        return _integer(declared, text)
    if declared.kind is Kind.MONEY:
        return money.to_minor(text)
    if declared.kind is Kind.DATE:
        return _date(text)
    if declared.kind is Kind.CHOICE:
        return _choice(declared, text)
    if len(text) > declared.max_length:
        raise Invalid({"": [_("Too long: at most %s characters.") % declared.max_length]})
    if declared.kind is Kind.PHONE:
        return _phone(text)
    if declared.kind is Kind.EMAIL or declared.kind is Kind.URL:
        return _address(declared, text)
    if declared.kind is Kind.IDENTITY_NUMBER:
        return _identity_number(text)
    if declared.name == "code" and declared.kind is Kind.CODE:
        return _credit_code(text)
    return text


def parse_all(resource: ResourceType, texts: Mapping[str, str], *, creating: bool) -> dict[str, Any]:
    """Return the values of all fields that `texts` names; raise Invalid with the problems of every field."""
    problems: dict[str, list[Any]] = {}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        declared = resource.by_name[name]
        try:
            values[name] = parse(declared, text)
        except Invalid as invalid:
            problems[name] = invalid.problems[""]
    for declared in resource.editable_fields():
        if not declared.required or declared.name in problems or not (creating or declared.name in texts):
            continue
        if values.get(declared.name) in (None, ""):
            problems[declared.name] = [_("“%s” must not be empty.") % declared.label]
    if problems:
        raise Invalid(problems)
    return values


_TEXTS = {Kind.TEXT, Kind.LONG_TEXT, Kind.CHOICE, Kind.PHONE, Kind.EMAIL, Kind.URL, Kind.CODE} | {
    Kind.IDENTITY_NUMBER,
    Kind.PRIVATE_ADDRESS,
}


def _integer(declared: Field, text: str) -> int:
    try:
        number = int(text.replace(",", ""))
    except ValueError:
        raise Invalid({"": [_("“%s” is not a whole number.") % text]}) from None
    if not declared.smallest <= number <= declared.largest:
        raise Invalid(
            {
                "": [
                    _("The number must lie between %(smallest)s and %(largest)s.")
                    % {"smallest": declared.smallest, "largest": declared.largest}
                ]
            }
        )
    return number


def _date(text: str) -> date:
    for separator in ("/", "."):
        text = text.replace(separator, "-")
    try:
        year, month, day = text.split("-")
        if len(year) != 4:
            raise ValueError
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Invalid({"": [_("“%s” is not a date. Write it as 2026-03-31.") % text]}) from None


def _choice(declared: Field, text: str) -> str:
    for value, label in declared.choices:
        if text in (value, str(label)):
            return value
    known = _(", ").join(str(label) for _value, label in declared.choices)
    raise Invalid({"": [_("“%(text)s” is not one of: %(known)s.") % {"text": text, "known": known}]})


def _address(declared: Field, text: str) -> str:
    try:
        if declared.kind is Kind.EMAIL:
            validate_email(text)
        else:
            URLValidator(schemes=["http", "https"])(text if "://" in text else f"https://{text}")
    except ValidationError:
        raise Invalid({"": [_("“%s” is not a valid address.") % text]}) from None
    return text


def _phone(text: str) -> str:
    """Return the number as written; it needs three digits at least, and nothing but what numbers are written with.

    A masked one (138****6621) is no number: whoever has only that would overwrite the real one with it.
    """
    if _MASKED.search(text):
        raise Invalid(
            {"": [_("“%s” is masked: some of its digits are hidden. Write the whole number.") % text]}
        )
    if not _PHONE.fullmatch(text) or sum(character.isdigit() for character in text) < FEWEST_PHONE_DIGITS:
        raise Invalid({"": [_("“%s” is not a phone number. Write digits, such as 021-5555 1234.") % text]})
    return text


def _identity_number(text: str) -> str:
    """Return an identity number of 18 characters, checked; what was typed stands in no message."""
    compact = "".join(text.split()).upper()
    if not ric.is_valid(compact):
        raise Invalid(
            {"": [_("This is not a valid identity number: it has 18 characters. Check the digits.")]}
        )
    return compact


def remark(declared: Field, text: str, value: Any) -> str:
    """Return what somebody who brings many records in should know of a value that was taken, or nothing."""
    if declared.name != "code" or declared.kind is not Kind.CODE or not value:
        return ""
    if is_registration_number(value):
        return _("An old registration number of 15 digits, kept as text; it has no check digit to check.")
    if value != text.strip():
        return _("The code was written in another way; it is kept in capitals, without spaces and hyphens.")
    return ""


def is_registration_number(code: str) -> bool:
    """Say whether this is an old registration number of 15 digits, not a unified social credit code."""
    return len(code) == 15 and code.isascii() and code.isdigit()


def _credit_code(text: str) -> str:
    """Return the code; 18 characters are checked, old 15-digit registration numbers kept as text."""
    compact = text.replace(" ", "").upper()
    if is_registration_number(compact):
        return compact
    compact = str(uscc.compact(compact))
    if len(compact) != 18:
        raise Invalid(
            {
                "": [
                    _(
                        "“%(text)s” has %(length)s characters: a unified social credit code has 18, an old registration"
                        " number 15 digits."
                    )
                    % {"text": text, "length": len(compact)}
                ]
            }
        )
    if not uscc.is_valid(compact):
        raise Invalid({"": [_("“%s” is not a valid unified social credit code: check the digits.") % text]})
    return compact
