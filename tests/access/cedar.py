"""The grant algebra of DESIGN 2.2 and 2.3 said in Cedar: an oracle that we did not write.

Whom a gift reaches, what a level holds and a role inherits is left to Cedar's own hierarchy (`in`): a principal is a
parent of a user, a role or a right in a partition a parent of what it is given to. Scopes are conditions of a policy
per grant; prohibitions are its own `forbid`. Gates, states, shares by hand and sharing rules are no part of it: Cedar
has no notion of whom a share's recipients report to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import cedarpy

from tests.access.world import INDEPENDENT, World

RIGHT_NEEDED = {"view": "read", "edit": "edit", "delete": "delete", "restore": "delete", "transfer": "edit"}

CONDITIONS = {
    "own": "resource has owner && resource.owner == principal",
    "team": "resource.team.contains(principal)",
    "direct_reports": "resource has owner && resource.owner has manager && resource.owner.manager == principal",
    "subordinates": "resource has owner && resource.owner in principal.line",
    "department": "resource has owner && principal.departments.contains(resource.department)",
    "department_and_below": "resource has owner && resource.department in principal.departments",
    "everything": "true",
}


class Cedar:
    """A world at a moment, as Cedar sees it."""

    def __init__(self, world: World, at: datetime) -> None:
        self._world = world
        self._policies = cedarpy.PolicySet.from_str("\n".join([*_policies(world), *_forbidden(world, at)]))
        self._entities = [*_people(world), *_principals(world, at), *_records(world)]

    def allowed(self, asked: Iterable[tuple[int, str, str, int]]) -> list[bool]:
        """Say for each (person, verb, type, number) whether all that it needs is permitted."""
        questions = [
            [
                {
                    "principal": f'User::"{person}"',
                    "action": f'Action::"{type_name}.{each}"',
                    "resource": f'Record::"{type_name}:{number}"',
                }
                for each in dict.fromkeys(("view", verb))
            ]
            for person, verb, type_name, number in asked
        ]
        answers = iter(
            cedarpy.is_authorized_batch(
                [one for every in questions for one in every], self._policies, self._entities
            )
        )
        verdicts = []
        for every in questions:
            results = [next(answers) for _one in every]
            errors = [error for result in results for error in result.diagnostics.errors]
            assert not errors, errors
            verdicts.append(all(result.allowed for result in results))
        return verdicts


def _policies(world: World) -> Iterator[str]:
    """A policy for each grant: principal in the role, admitted to the record's partition, the record in the scope."""
    for role, facts in world["roles"].items():
        for permission, scope in facts["grants"]:
            type_name, _dot, verb = permission.partition(".")
            if type_name not in INDEPENDENT or verb not in RIGHT_NEEDED:
                continue
            # Every scope but nothing includes own; teams and base access widen view and edit for who holds them.
            widened = [CONDITIONS[scope], CONDITIONS["own"]]
            base = world["base_access"].get(type_name, "private")
            if verb == "view":
                widened.append(CONDITIONS["team"])
                widened += ["true"] if base in ("public_read", "public_read_write") else []
            if verb == "edit":
                widened.append("resource.editors.contains(principal)")
                widened += ["true"] if base == "public_read_write" else []
            yield (
                f'permit(principal in Role::"{role}", action == Action::"{permission}", resource) when {{'
                f" principal.active && principal in resource.{RIGHT_NEEDED[verb]} && ({' || '.join(widened)}) }};"
            )


def _forbidden(world: World, at: datetime) -> Iterator[str]:
    """A policy for each prohibition; of a level it binds those who stand on it, not those who hold it."""
    for no in world.get("prohibitions", []):
        if not _in_force(no, at):
            continue
        type_name, _dot, verb = no["permission"].partition(".")
        actions = ", ".join(f'Action::"{type_name}.{each}"' for each in RIGHT_NEEDED if verb in ("*", each))
        level = no["to"].get("level")
        whom = "principal" if level else f'principal in Principal::"{_name(no["to"])}"'
        exactly = f" when {{ principal has level && principal.level == {level} }}" if level else ""
        if actions:
            yield f"forbid({whom}, action in [{actions}], resource){exactly};"


def _in_force(gift: dict[str, Any], at: datetime) -> bool:
    return (gift["starts"] is None or at >= gift["starts"]) and (gift["ends"] is None or at < gift["ends"])


def _entity(
    kind: str, name: object, parents: Iterable[tuple[str, object]] = (), **attributes: Any
) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": str(name)},
        "attrs": attributes,
        "parents": [{"type": other, "id": str(of)} for other, of in parents],
    }


def _ref(kind: str, name: object) -> dict[str, Any]:
    return {"__entity": {"type": kind, "id": str(name)}}


def _people(world: World) -> Iterator[dict[str, Any]]:
    for number, facts in world["people"].items():
        mine = [*([facts["main"]] if facts["main"] else []), *facts["others"]]
        parents: list[tuple[str, object]] = [("Principal", f"user:{number}")]
        parents += [("Principal", f"group:{group}") for group in facts["groups"]]
        parents += [("Principal", f"position:{position}") for position in facts["positions"]]
        parents += [("Principal", f"level:{facts['level']}")] if facts["level"] else []
        parents += [("Principal", f"department:{place}") for place in mine]
        parents += [("Principal", f"department:{place}+") for place in mine]
        for place, department in world["departments"].items():
            held = ["head"] if department["head"] == number else []
            held += ["assistant"] if number in department["assistants"] else []
            parents += [("Principal", f"{post}:{place}{below}") for post in held for below in ("", "+")]
        if facts["manager"] is not None:
            parents.append(("Line", facts["manager"]))
        attributes: dict[str, Any] = {
            "active": facts["active"],
            "line": _ref("Line", number),
            "departments": [_ref("Department", place) for place in mine],
        }
        if facts["level"]:
            attributes["level"] = facts["level"]
        if facts["manager"] is not None:
            attributes["manager"] = _ref("User", facts["manager"])
        yield _entity("User", number, parents, **attributes)
        above = [("Line", facts["manager"])] if facts["manager"] is not None else []
        yield _entity("Line", number, above)
    for number, facts in world["departments"].items():
        yield _entity("Department", number, [("Department", facts["parent"])] if facts["parent"] else [])


def _principals(world: World, at: datetime) -> Iterator[dict[str, Any]]:
    """Principals, with what is given to each as parents; roles and the right to read above what implies them."""
    given: dict[str, list[tuple[str, object]]] = {}
    for gift in (*world["assignments"], *world["admissions"]):
        if not _in_force(gift, at):
            continue
        if "role" in gift:
            things: list[tuple[str, object]] = [("Role", gift["role"])]
        else:
            things = [("Right", f"{right}:{gift['partition']}") for right in ("read", *gift["rights"])]
        given.setdefault(_name(gift["to"]), []).extend(things)
    for number, facts in world["departments"].items():
        for kind in ("department", "head", "assistant"):
            above = [("Principal", f"{kind}:{facts['parent']}+")] if facts["parent"] else []
            yield _entity("Principal", f"{kind}:{number}", given.get(f"{kind}:{number}", []))
            yield _entity("Principal", f"{kind}:{number}+", [*above, *given.get(f"{kind}:{number}+", [])])
    for number, facts in world["levels"].items():
        held = [
            other
            for other, level in world["levels"].items()
            if other in facts["includes"]
            or (level["ladder"] == facts["ladder"] and level["rank"] < facts["rank"])
        ]
        parents = [("Principal", f"level:{other}") for other in held]
        yield _entity("Principal", f"level:{number}", [*parents, *given.get(f"level:{number}", [])])
    for kind, numbers in (
        ("user", world["people"]),
        ("group", world["groups"]),
        ("position", world["positions"]),
    ):
        for number in numbers:
            yield _entity("Principal", f"{kind}:{number}", given.get(f"{kind}:{number}", []))
    for number, facts in world["roles"].items():
        yield _entity("Role", number, [("Role", other) for other in facts["inherits"]])


def _name(to: dict[str, Any]) -> str:
    if "department" not in to:
        ((kind, number),) = to.items()
        return f"{kind}:{number}"
    return f"{to.get('post') or 'department'}:{to['department']}{'+' if to['below'] else ''}"


def _records(world: World) -> Iterator[dict[str, Any]]:
    for type_name in INDEPENDENT:
        for number, record in world["records"][type_name].items():
            attributes: dict[str, Any] = {
                "department": _ref("Department", record["department"]),
                "team": [_ref("User", member) for member in record["team"]],
                "editors": [
                    _ref("User", member) for member, access in record["team"].items() if access == "edit"
                ],
                **{
                    right: _ref("Right", f"{right}:{record['partition']}")
                    for right in ("read", "edit", "delete")
                },
            }
            if record["owner"] is not None:
                attributes["owner"] = _ref("User", record["owner"])
            yield _entity("Record", f"{type_name}:{number}", **attributes)
