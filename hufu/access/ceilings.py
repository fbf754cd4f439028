"""Ceilings: what a token, an agent or a job is held under. They narrow what its actor may and never give anything.

Permissions and partitions outside are closed in both halves, fields of sensitivities outside are hidden, and from a
network outside nothing is open at all.

INVARIANT: the ceiling is that of the transaction's actor, whichever actor is asked about.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.access.decision.gates import is_within
from hufu.core.actor import Actor, Ceiling
from hufu.core.errors import GateClosed


def refusal(actor: Actor) -> GateClosed | None:
    """Return the refusal of whoever may not use their ceiling from where they are; KeyError for an unknown permission.

    Networks that cannot be read hold no address.
    """
    ceiling = actor.ceiling
    if ceiling is None:
        return None
    for name in ceiling.permissions or ():
        registry.permission(name)
    for name in ceiling.sensitivities or ():
        registry.Sensitivity(name)
    if ceiling.networks is None or _is_among(actor.context.address, ceiling.networks):
        return None
    return GateClosed(
        None,
        _("“%s” is not open from this network.") % ceiling.name,
        event={"type": "access.refused", "data": {}, "reason": "ceiling"},
    )


def _is_among(address: str, networks: Iterable[str]) -> bool:
    try:
        return is_within(address, [ip_network(network) for network in networks])
    except ValueError:
        return False


def outside(ceiling: Ceiling | None, permissions: Iterable[str]) -> str | None:
    """Return the first of the permissions that the ceiling leaves out, or None."""
    if ceiling is None or ceiling.permissions is None:
        return None
    return next((each for each in permissions if each not in ceiling.permissions), None)


def closed_sensitivities(ceiling: Ceiling | None) -> frozenset[str]:
    """Return the sensitivities whose fields the ceiling hides. Public and internal fields are the record itself."""
    if ceiling is None or ceiling.sensitivities is None:
        return frozenset()
    closable = {registry.Sensitivity.PERSONAL.value, registry.Sensitivity.CONFIDENTIAL.value}
    return frozenset(closable - ceiling.sensitivities)
