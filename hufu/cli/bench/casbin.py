"""The measured company's policy on viewing customers said in Casbin (pycasbin), to be asked the same questions.

As its documents say it: roles by a role manager (`g`), hierarchies by further ones (who is admitted where, who reports
to whom, which department lies below which), the record as an object whose attributes the one matcher reads. A policy
line is a grant: role, permission, scope. Grants, admissions, scopes, teams and shares, as in `hufu.cli.bench.cedar`;
read once, nobody else's lines are in it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import RecordFacts
from hufu.cli.bench.cedar import VIEW, by_principal, principal, principals

MODEL = """
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, act, scope

[role_definition]
g = _, _
g2 = _, _
g3 = _, _
g4 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.act == p.act && g(r.sub.name, p.sub) && g2(r.sub.name, r.obj.partition) && (\
 p.scope == "everything" || r.obj.owner == r.sub.name || r.sub.name in r.obj.team\
 || p.scope == "subordinates" && g3(r.obj.owner, r.sub.name)\
 || p.scope == "department_and_below" && g4(r.obj.department, r.sub.department)\
 || shared(r.sub.name, r.obj.shared))
"""


class Casbin:
    """Everybody and some records, as Casbin sees them."""

    def __init__(self, snapshot: Snapshot, records: Mapping[int, RecordFacts]) -> None:
        import casbin
        from casbin.persist.adapters import StringAdapter

        # It would tell the whole company on the terminal.
        logging.getLogger("casbin").setLevel(logging.ERROR)
        model = casbin.Enforcer.new_model(text=MODEL)
        policy = "\n".join(", ".join(line) for line in _lines(snapshot))
        self._enforcer = casbin.Enforcer(model, StringAdapter(policy))
        is_in = self._enforcer.get_role_manager().has_link
        self._enforcer.add_function("shared", lambda name, given: any(is_in(name, each) for each in given))
        self._people = {
            person.id: SimpleNamespace(
                name=f"user:{person.id}", department=f"department:{person.main_department_id}"
            )
            for person in snapshot.people.values()
        }
        self._records = {number: _record(record) for number, record in records.items()}

    def may_view(self, person: int, record: int) -> bool:
        """Ask Casbin once, as a program does at each request."""
        return bool(self._enforcer.enforce(self._people[person], self._records[record], VIEW))


def _lines(snapshot: Snapshot) -> Iterator[tuple[str, ...]]:
    for role in snapshot.roles.values():
        for permission, scope in role.grants:
            if permission == VIEW:
                yield "p", f"role:{role.id}", VIEW, scope
    for department in snapshot.departments.values():
        if department.parent_id:
            yield "g4", f"department:{department.id}", f"department:{department.parent_id}"
    for name, given in by_principal(snapshot.assignments).items():
        for each in given:
            yield "g", name, f"role:{each.role_id}"
    for name, given in by_principal(snapshot.admissions).items():
        for each in given:
            yield "g2", name, f"partition:{each.partition_id}"
    for person in snapshot.people.values():
        if person.manager_id:
            yield "g3", f"user:{person.id}", f"user:{person.manager_id}"
        for name in principals(snapshot, person):
            if name != f"user:{person.id}":
                yield "g", f"user:{person.id}", name
                yield "g2", f"user:{person.id}", name


def _record(record: RecordFacts) -> SimpleNamespace:
    return SimpleNamespace(
        partition=f"partition:{record.partition_id}",
        owner=f"user:{record.owner_id}",
        department=f"department:{record.department_id}",
        team=[f"user:{member}" for member in record.team],
        shared=[principal(share.given) for share in record.shares],
    )
