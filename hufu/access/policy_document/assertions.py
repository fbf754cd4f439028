"""The section `tests`: what must be true under the policy, whatever else changes.

    tests:
      - {who: wangsiyuan, may: customer.edit, record: "customer:12", expect: no, because: out_of_scope}
      - {who: wangsiyuan, may: customer.export, expect: no}
      - {who: wangsiyuan, count: customer.view, at_least: 1}

A document without this section keeps the tests that stand; an empty list ends them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.access.decision.decide import Code
from hufu.access.models import VersionText
from hufu.access.policy_document.draft import Draft, Problems, Section
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.people.queries import find_user

MAY_KEYS = {"who", "may", "record", "expect", "because"}
COUNT_KEYS = {"who", "count", "is", "at_least", "at_most"}
BOUNDS = ("is", "at_least", "at_most")


def standing() -> list[dict[str, Any]]:
    """Return the tests of the version that stands."""
    last = VersionText.objects.order_by("-number").first()
    return list(json.loads(last.document).get("tests") or ()) if last else []


def person(text: str) -> User | None:
    """Return whom a test is about: a user name, mail address or number, or a name that one person alone has."""
    try:
        return find_user(text)
    except Invalid:
        named = list(User.objects.filter(name=text)[:2])
        return named[0] if len(named) == 1 else None


def record_of(text: str) -> tuple[registry.ResourceType, int] | None:
    """Return the type and number that TYPE:NUMBER names, or None."""
    kind, _colon, number = text.partition(":")
    known = {resource.name: resource for resource in registry.resource_types()}
    if kind not in known or not (number.isascii() and number.isdecimal()) or len(number) > 18:
        return None
    return known[kind], int(number)


def _plan_tests(draft: Draft, entries: Any) -> None:
    if entries is None:
        return
    listed: list[Any] = []
    for place, entry in draft.problems.entries("tests", entries):
        _check(place, entry, draft.problems)
        listed.append(entry)
    before = standing()
    if listed != before:
        gone = any(test not in listed for test in before)
        risk = Risk.MEDIUM if gone else Risk.LOW
        draft.add("tests", "tests", _keep, creates=not before, risk=risk)


def _keep(actor: Actor) -> None:
    """Tests are kept with the version: nothing else is to be done."""


def _check(place: str, entry: Any, problems: Problems) -> None:
    counts = isinstance(entry, Mapping) and "count" in entry
    keys, required = (COUNT_KEYS, ("who", "count")) if counts else (MAY_KEYS, ("who", "may"))
    if not problems.check_keys(place, entry, keys, required):
        return
    if person(str(entry["who"])) is None:
        problems.add(f"{place}.who", _("There is nobody “%s”, or more than one.") % entry["who"])
    name = str(entry["count"] if counts else entry["may"])
    if name not in {permission.name for permission in registry.permissions()}:
        problems.add(f"{place}.{'count' if counts else 'may'}", _("There is no permission “%s”.") % name)
        return
    if counts:
        _check_count(place, entry, name, problems)
        return
    if not isinstance(entry.get("expect"), bool):
        problems.add(f"{place}.expect", _("Write yes or no."))
    if entry.get("because") is not None and entry["because"] not in set(Code):
        problems.add(
            f"{place}.because",
            _("“%(text)s” is not one of: %(allowed)s.")
            % {"text": entry["because"], "allowed": ", ".join(Code)},
        )
    if entry.get("record") is not None:
        found = record_of(str(entry["record"]))
        if found is None or registry.type_of(name) != found[0] or not registry.is_about_records(name):
            problems.add(
                f"{place}.record",
                _("“%s” is about a record such as “customer:12”, of the type of the permission.") % name,
            )


def _check_count(place: str, entry: Mapping[str, Any], name: str, problems: Problems) -> None:
    if not registry.is_about_records(name):
        problems.add(f"{place}.count", _("“%s” is not about records that exist.") % name)
    bounds = [bound for bound in BOUNDS if entry.get(bound) is not None]
    if not bounds:
        problems.add(place, _("Name one or more of: %s.") % ", ".join(BOUNDS))
    for bound in bounds:
        if isinstance(entry[bound], bool) or not isinstance(entry[bound], int) or entry[bound] < 0:
            problems.add(f"{place}.{bound}", _("Write a number."))


SECTION = Section("tests", _plan_tests, standing)
