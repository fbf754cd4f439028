"""From the place where something was refused to the form that asks for it."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from hufu.access import registry
from hufu.access.decision.decide import Code
from hufu.core.errors import Denied
from hufu.web.addresses import plural

# What a request can help against; gates, prohibitions and ceilings are not opened by one.
_HELPED = {Code.NO_GRANT, Code.OUT_OF_SCOPE}


def from_absent(request: HttpRequest) -> str:
    """Return the link from the page of a record that is absent, or out of sight; empty elsewhere.

    INVARIANT: it depends on nothing but the shape of the address, and holds no number: all such pages are the same.
    """
    names = "|".join(plural(resource.name) for resource in registry.resource_types())
    found = re.fullmatch(rf"/(?:{names})/[0-9]+/(.*)", request.path)
    return f"{'../' * found[1].count('/')}ask" if found else ""


def why_denied(denied: Denied) -> str:
    """Return the link to the whole reason of a refusal; empty where no permission was asked about."""
    decision = denied.decision
    if decision is None:
        return ""
    asked = {"permission": decision.permission}
    target = (denied.event or {}).get("target")
    if target is not None and registry.is_about_records(decision.permission):
        asked["number"] = str(target.id)
    return f"{reverse('access_why')}?{urlencode(asked)}"


def back_from_denied(denied: Denied) -> str:
    """Return the link back to the record that was refused: whoever is denied something with it may view it."""
    target = (denied.event or {}).get("target")
    names = {resource.name for resource in registry.resource_types()}
    if target is None or target.type not in names or denied.decision is None:
        return ""
    if denied.decision.permission == f"{target.type}.view":
        return ""
    return reverse(f"{target.type}_record", args=[target.id])


def from_denied(denied: Denied) -> str:
    """Return the link to what would help against a refusal: a share of the record, or a role; empty for others."""
    decision = denied.decision
    if decision is None or decision.code not in _HELPED:
        return ""
    permission = registry.permission(decision.permission)
    target = (denied.event or {}).get("target")
    if target is not None and permission.verb == "edit" and decision.code is Code.OUT_OF_SCOPE:
        return f"{reverse(f'{target.type}_ask', args=[target.id])}?access=edit"
    return reverse("request_permission", args=[permission.name])
