"""Consents: for what personal data of a contact may be used, on which ground, since when, by what evidence.

They follow their contact: whoever may view it sees them, whoever may edit it records and withdraws them. What was
recorded stays: a withdrawn consent is history, not a mistake to be deleted.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, lost_rights, policies
from hufu.access.registry import ResourceType
from hufu.audit import EventType, declare, record, shown
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.core.text import is_storable
from hufu.crm.actions.common import target
from hufu.crm.models import Consent

PURPOSES = (
    ("contract", gettext_lazy("Making and performing a contract")),
    ("service", gettext_lazy("Service after the sale")),
    ("marketing_mail", gettext_lazy("Marketing by mail")),
    ("marketing_phone", gettext_lazy("Marketing by phone")),
    ("marketing_message", gettext_lazy("Marketing by text message or WeChat")),
    ("profiling", gettext_lazy("Profiling and automated decisions")),
    ("sharing_group", gettext_lazy("Sharing with companies of the group")),
    ("sharing_partner", gettext_lazy("Sharing with partners")),
    ("abroad", gettext_lazy("Transfer abroad")),
    ("legal", gettext_lazy("Keeping what the law demands")),
)
# The grounds of article 13 of the Personal Information Protection Law that a company can rely on.
BASES = (
    ("consent", gettext_lazy("Consent")),
    ("separate_consent", gettext_lazy("Separate consent")),
    ("contract", gettext_lazy("Needed for a contract")),
    ("legal_duty", gettext_lazy("Legal duty")),
    ("published", gettext_lazy("Lawfully published data")),
    ("emergency", gettext_lazy("Protection of life or property in an emergency")),
)
SOURCES_OF_CONSENT = (
    ("form", gettext_lazy("Paper form")),
    ("web", gettext_lazy("Website")),
    ("phone", gettext_lazy("Phone call")),
    ("message", gettext_lazy("Mail or message")),
    ("exhibition", gettext_lazy("Exhibition")),
    ("meeting", gettext_lazy("Meeting")),
    ("contract", gettext_lazy("Signed contract")),
    ("public", gettext_lazy("Public source")),
    ("other", gettext_lazy("Other source")),
)
# Purposes for which the law wants a consent of their own (articles 23, 24, 39): no other ground covers them here.
BY_SEPARATE_CONSENT = frozenset({"sharing_group", "sharing_partner", "abroad"})
LONGEST = 500

declare(
    EventType(
        "contact.consent_given",
        gettext_lazy("Contact: consent recorded"),
        shown("consent", "purpose", "basis", "source", "given_on"),
    ),
    EventType(
        "contact.consent_withdrawn", gettext_lazy("Contact: consent withdrawn"), shown("consent", "purpose")
    ),
)


def label(choices: tuple[tuple[str, Any], ...], value: str) -> str:
    """Return a choice in words."""
    return str(dict(choices).get(value, value))


def consents(actor: Actor, resource: ResourceType, record_id: int) -> list[Consent]:
    """Return the consents of a person whom the actor may view, standing ones first, then the newest; or nothing."""
    if not guard.scope(actor, resource.permission("view")).filter(pk=record_id).exists():
        return []
    found = Consent.objects.filter(contact_id=record_id).order_by("-given_on", "-pk")
    return sorted(found, key=lambda consent: consent.withdrawn_at is not None)


def give(
    actor: Actor,
    resource: ResourceType,
    record_id: int,
    *,
    purpose: str,
    basis: str,
    source: str,
    given_on: date | None,
    evidence: str = "",
) -> int:
    """Record a consent, or another ground, and return its number. Raise Invalid with the problem of each field."""
    current = guard.use(actor, resource.permission("edit"), record_id)
    problems: dict[str, list[Any]] = {}
    for name, value, choices in (
        ("purpose", purpose, PURPOSES),
        ("basis", basis, BASES),
        ("source", source, SOURCES_OF_CONSENT),
    ):
        if value not in dict(choices):
            problems[name] = [_("Choose one of the list.")]
    if purpose in BY_SEPARATE_CONSENT and basis in dict(BASES) and basis != "separate_consent":
        problems["basis"] = [_("This purpose needs a separate consent of the person.")]
    if given_on is None:
        problems["given_on"] = [_("Say since when.")]
    elif given_on > timezone.localdate(clock.now()):
        problems["given_on"] = [_("This day is still to come.")]
    problems |= _check_text("evidence", evidence)
    if problems or given_on is None:
        raise Invalid(problems)
    made = Consent.objects.create(
        contact_id=record_id,
        purpose=purpose,
        basis=basis,
        source=source,
        given_on=given_on,
        evidence=evidence,
        recorded_at=clock.now(),
        recorded_by=actor.user_id,
    )
    record(
        actor,
        "contact.consent_given",
        target=target(resource, current),
        data={
            "consent": made.pk,
            "purpose": purpose,
            "basis": basis,
            "source": source,
            "given_on": str(given_on),
        },
    )
    return made.pk


def withdraw(
    actor: Actor, resource: ResourceType, record_id: int, consent_id: int, *, reason: str = ""
) -> None:
    """Say that a consent holds no longer; one that is withdrawn already stays as it is.

    Raise NotFound where the record has no such consent.
    """
    current = guard.use(actor, resource.permission("edit"), record_id)
    if problems := _check_text("reason", reason):
        raise Invalid(problems)
    consent = Consent.objects.filter(pk=consent_id, contact_id=record_id).first()
    if consent is None:
        raise NotFound(_("There is no such page, or you may not view it."))
    changed = Consent.objects.filter(pk=consent_id, withdrawn_at__isnull=True).update(
        withdrawn_at=clock.now(), withdrawn_by=actor.user_id, withdrawn_reason=reason
    )
    if changed:
        record(
            actor,
            "contact.consent_withdrawn",
            target=target(resource, current),
            data={"consent": consent_id, "purpose": consent.purpose},
        )
    elif refusal := lost_rights.lost(actor):
        raise refusal


def _check_text(name: str, text: str) -> dict[str, list[Any]]:
    if not is_storable(text):
        return {name: [_("This text cannot be stored. Type it anew.")]}
    if len(text) > LONGEST:
        return {name: [_("Too long: at most %s characters.") % LONGEST]}
    return {}


def statements() -> str:
    """Return the row policies: the contact's own rule decides, in the database as in the guard."""
    view, edit = (policies.follows(verb, "'contact'", "contact_id") for verb in ("view", "edit"))
    return f"""
ALTER TABLE public.crm_consent ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.crm_consent FROM hufu_app;
GRANT SELECT, INSERT ON public.crm_consent TO hufu_app;
GRANT UPDATE (withdrawn_at, withdrawn_by, withdrawn_reason) ON public.crm_consent TO hufu_app;
DROP POLICY IF EXISTS view ON public.crm_consent;
DROP POLICY IF EXISTS give ON public.crm_consent;
DROP POLICY IF EXISTS withdraw ON public.crm_consent;
CREATE POLICY view ON public.crm_consent FOR SELECT TO hufu_app USING ({view});
CREATE POLICY give ON public.crm_consent FOR INSERT TO hufu_app
    WITH CHECK ({edit} AND recorded_by = (SELECT hufu.actor()) AND withdrawn_at IS NULL);
CREATE POLICY withdraw ON public.crm_consent FOR UPDATE TO hufu_app
    USING ({edit} AND withdrawn_at IS NULL)
    WITH CHECK ({edit} AND withdrawn_at IS NOT NULL AND withdrawn_by = (SELECT hufu.actor()));
"""
