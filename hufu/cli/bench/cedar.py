"""The measured company's policy on viewing customers said in Cedar, to be asked the same questions.

Grants, admissions, scopes, teams and shares; what rules and pools open is left out. Everything is parsed once: people
and records are entities, what they hold and lie in are their parents and attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hufu.access.decision.snapshot import Given, PersonFacts, Snapshot
from hufu.access.decision.terms import RecordFacts

VIEW = "customer.view"
SHARED = "resource.team.contains(principal) || principal in resource.shared"
SCOPES = {
    "own": "false",
    "subordinates": "resource.owner in principal.line",
    "department_and_below": "resource.department in principal.department",
    "everything": "true",
}


class Cedar:
    """Everybody and some records, as Cedar sees them."""

    def __init__(self, snapshot: Snapshot, records: Mapping[int, RecordFacts]) -> None:
        import cedarpy

        self._ask = cedarpy.is_authorized
        self._policies = cedarpy.PolicySet.from_str("\n".join(_policies(snapshot)))
        entities = [*_organisation(snapshot), *_people(snapshot), *_records(records)]
        self._entities = cedarpy.Entities.from_json_str(json.dumps(entities))

    def may_view(self, person: int, record: int) -> bool:
        """Ask Cedar once, as a program does at each request."""
        request = {
            "principal": f'User::"{person}"',
            "action": f'Action::"{VIEW}"',
            "resource": f'Record::"{record}"',
        }
        return bool(self._ask(request, self._policies, self._entities).allowed)


def _policies(snapshot: Snapshot) -> Iterator[str]:
    for role in snapshot.roles.values():
        for permission, scope in role.grants:
            if permission == VIEW:
                yield (
                    f'permit(principal in Role::"{role.id}", action == Action::"{VIEW}", resource) when {{'
                    f" principal in resource.read && (resource.owner == principal.line || {SHARED}"
                    f" || {SCOPES[scope]}) }};"
                )


def _organisation(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    for department in snapshot.departments.values():
        above = [("Department", department.parent_id)] if department.parent_id else []
        yield _entity("Department", department.id, above)
    for person in snapshot.people.values():
        above = [("Line", person.manager_id)] if person.manager_id else []
        yield _entity("Line", person.id, above)


def _people(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    roles = by_principal(snapshot.assignments)
    admissions = by_principal(snapshot.admissions)
    for person in snapshot.people.values():
        held = principals(snapshot, person)
        parents: list[tuple[str, object]] = [("Principal", name) for name in held]
        parents += [("Role", each.role_id) for one in held for each in roles.get(one, ())]
        parents += [("Partition", each.partition_id) for one in held for each in admissions.get(one, ())]
        yield _entity(
            "User",
            person.id,
            parents,
            line=_reference("Line", person.id),
            department=_reference("Department", person.main_department_id),
        )


def _records(records: Mapping[int, RecordFacts]) -> Iterator[dict[str, Any]]:
    for number, record in records.items():
        yield _entity(
            "Record",
            number,
            read=_reference("Partition", record.partition_id),
            owner=_reference("Line", record.owner_id),
            department=_reference("Department", record.department_id),
            team=[_reference("User", member) for member in record.team],
            shared=[_reference("Principal", principal(share.given)) for share in record.shares],
        )


def principals(snapshot: Snapshot, person: PersonFacts) -> list[str]:
    """Return the names of all that a person is: themselves, their groups, positions and departments."""
    return [
        f"user:{person.id}",
        *(f"group:{group}" for group in person.group_ids),
        *(f"position:{position}" for position in person.position_ids),
        *(f"department:{place}" for place in snapshot.departments_of(person)),
    ]


def by_principal(every: Iterable[Given]) -> dict[str, list[Given]]:
    """Return what was given, by the name of whom it was given to."""
    found: dict[str, list[Given]] = {}
    for given in every:
        found.setdefault(principal(given), []).append(given)
    return found


def principal(given: Given) -> str:
    """Return the name of whom something was given to."""
    kinds = ("user", "group", "department", "position")
    return next(f"{kind}:{number}" for kind in kinds if (number := getattr(given, f"{kind}_id")) is not None)


def _entity(
    kind: str, name: object, parents: Iterable[tuple[str, object]] = (), **attributes: Any
) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": str(name)},
        "attrs": attributes,
        "parents": [{"type": other, "id": str(of)} for other, of in parents],
    }


def _reference(kind: str, name: object) -> dict[str, Any]:
    return {"__entity": {"type": kind, "id": str(name)}}
