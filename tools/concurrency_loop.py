"""Let people write while others change organisation and policy, and look meanwhile whether every answer is right.

    python tools/concurrency_loop.py --seconds 300

Everything happens in a database of its own that vanishes afterwards: a company of `--users` people with `--records`
customers. `--writers` people at once add, change, hand over, share, delete and restore customers; `--changers` move
people and departments, change scopes, admissions and rules; `--lookers` take a moment of the database and ask every
door about somebody: both ways of the list, its condition, the row policies, the count, the point check, and the
explanation, which is derived from the facts of that moment and not from reach. At the end nothing that is kept twice
may differ, what is then set wrong on purpose must be found, and set right. Exit code 1 says that something is not so.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

SCOPES = ("own", "direct_reports", "subordinates", "department", "department_and_below", "everything")
VERBS = ("edit", "delete", "restore", "transfer", "share")
INDUSTRIES = ("machinery", "electronics", "technology", "medical")
STAGES = ("new", "following", "won")
ASKED = 25
# What the database says to whoever loses a race; the next attempt answers.
LOST = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
ATTEMPTS = 5
# How it refuses: a rule of the data, or a right that ended between the check and the deed.
REFUSED = (
    psycopg.errors.IntegrityError,
    psycopg.errors.RaiseException,
    psycopg.errors.InsufficientPrivilege,
)
PLANTED = (
    "UPDATE access_cell SET records = records + 1",
    "UPDATE access_shared_record SET updated_at = '2020-01-01'",
    "UPDATE access_rule_match SET updated_at = '2020-01-01'",
)


@dataclass
class Loop:
    """What is running, and what was seen."""

    owner_url: str
    seed: int
    ends: float
    people: list[int]
    departments: list[int]
    seen: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def run(self, workers: Sequence[tuple[str, int, Callable[[Loop, random.Random], None]]]) -> None:
        """Let them all work until the time is over."""
        threads = [
            threading.Thread(target=self._work, args=(name, work, self.seed * 1000 + number))
            for name, amount, work in workers
            for number in range(amount)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, name: str, work: Callable[[Loop, random.Random], None], seed: int) -> None:
        from django.db import connections

        chance = random.Random(f"{name} {seed}")
        while time.monotonic() < self.ends and not self.problems:
            try:
                self._answered(name, lambda: work(self, chance))
            except Exception as error:
                self.problems.append(f"{name}: {type(error).__name__}: {error}")
        connections.close_all()

    def _answered(self, name: str, work: Callable[[], None]) -> None:
        """Do it, again where a race was lost, and count how it ended."""
        from django.db import DatabaseError

        from hufu.core.errors import HufuError

        for attempt in range(1, ATTEMPTS + 1):
            try:
                work()
            except HufuError:
                self.seen[f"{name}: refused"] += 1
            except (DatabaseError, psycopg.Error) as error:
                cause = error if isinstance(error, psycopg.Error) else error.__cause__
                if isinstance(cause, LOST) and attempt < ATTEMPTS:
                    self.seen[f"{name}: {type(cause).__name__}, tried again"] += 1
                    continue
                if not isinstance(cause, REFUSED):
                    raise
                self.seen[f"{name}: refused by the database"] += 1
            else:
                self.seen[name] += 1
            return


def main(arguments: Sequence[str]) -> int:
    """Write, change and look until the time is over, then look at all that is kept twice."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for name, usual in (("seconds", 300), ("writers", 20), ("changers", 5), ("lookers", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual, help=f"default: {usual}")
    parser.add_argument("--records", type=int, default=3000, help="default: 3000")
    parser.add_argument("--users", type=int, default=150, help="default: 150")
    parser.add_argument("--seed", type=int, default=None, help="the same seed draws the same deeds")
    args = parser.parse_args(arguments)
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    from hufu.cli.bench.scratch import scratch

    with (
        scratch(args.records, args.users) as found,
        psycopg.connect(found.owner_url, autocommit=True) as owner,
    ):
        prepare(owner)
        loop = Loop(
            *(found.owner_url, seed, time.monotonic() + args.seconds),
            [row[0] for row in owner.execute("SELECT id FROM people_user ORDER BY id").fetchall()],
            [row[0] for row in owner.execute("SELECT id FROM people_department ORDER BY id").fetchall()],
        )
        loop.run(
            (("write", args.writers, write), ("change", args.changers, change), ("look", args.lookers, look))
        )
        for what, amount in sorted(loop.seen.items()):
            print(f"{what}: {amount:,}")
        if not loop.problems:
            loop.problems += kept_twice(owner)
    for problem in loop.problems:
        print(f"PROBLEM {problem}")
    print(f"{len(loop.problems)} problems")
    return 1 if loop.problems else 0


def prepare(owner: psycopg.Connection) -> None:
    """Let everybody do with customers what they may view."""
    owner.execute(
        "INSERT INTO access_grant (role_id, permission, scope)"
        " SELECT g.role_id, 'customer.' || verb, g.scope FROM access_grant g, unnest(%s::text[]) verb"
        " WHERE g.permission = 'customer.view' ON CONFLICT DO NOTHING",
        [list(VERBS)],
    )
    owner.execute("UPDATE access_admission SET can_delete = can_edit")


def write(loop: Loop, chance: random.Random) -> None:
    """One deed of somebody on a customer."""
    from hufu.access import guard
    from hufu.access.actions import Principal
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting
    from hufu.crm import actions
    from hufu.crm.resources import CUSTOMER
    from hufu.people.models import User

    actor = Actor(chance.choice(loop.people), "")
    verb = chance.choice(
        ("create", "edit", "edit", "edit", "transfer", "share", "member", "delete", "restore")
    )
    other = chance.choice(loop.people)
    with acting(actor):
        if verb == "create":
            places = sorted(guard.creatable_partitions(actor, CUSTOMER))
            if places:
                values = {
                    "name": f"并发 {chance.random()}",
                    "stage": "new",
                    "industry": chance.choice(INDUSTRIES),
                }
                new = actions.NewRecord(chance.choice(places), actor.user_id, values)
                actions.create_record(actor, CUSTOMER, new)
            return
        permission = CUSTOMER.permission("share" if verb == "member" else verb)
        rows = list(guard.scope(actor, permission).order_by("-updated_at", "-pk")[:10])
        if not rows:
            return
        row = chance.choice(rows)
        about = (actor, CUSTOMER, row.pk)
        if verb == "edit":
            values = {
                "note": f"{chance.random()}",
                "stage": chance.choice(STAGES),
                "industry": chance.choice(INDUSTRIES),
            }
            actions.edit_record(*about, values, version=row.lock_version)
        elif verb == "transfer":
            actions.transfer_record(*about, to=other, reason="交接", version=row.lock_version)
        elif verb == "share":
            to = Principal(user=User.objects.get(pk=other))
            actions.share_record(*about, to=to, access=chance.choice(("read", "edit")), reason="协作")
        elif verb == "member":
            actions.add_member(*about, who=other, access=chance.choice(("read", "edit")))
        elif verb == "delete":
            actions.delete_record(*about, version=row.lock_version)
        else:
            actions.restore_record(*about, version=row.lock_version)


def change(loop: Loop, chance: random.Random) -> None:
    """One change of the organisation or the policy, by the owner of the tables with all triggers."""
    person, department = chance.choice(loop.people[1:]), chance.choice(loop.departments)
    statement, values = chance.choice(
        (
            ("UPDATE people_user SET main_department_id = %s WHERE id = %s", [department, person]),
            ("UPDATE people_user SET manager_id = %s WHERE id = %s", [chance.choice(loop.people), person]),
            ("UPDATE people_department SET parent_id = %s WHERE id = %s AND parent_id IS NOT NULL",
             [chance.choice(loop.departments), department]),
            ("UPDATE access_grant SET scope = %s WHERE permission = %s AND role_id ="
             " (SELECT id FROM access_role ORDER BY random() LIMIT 1)",
             [chance.choice(SCOPES), f"customer.{chance.choice(('view', 'edit', 'delete'))}"]),
            ("INSERT INTO access_admission (partition_id, user_id, reason, given_by, can_create, can_edit, can_delete)"
             " VALUES (%s, %s, 'loop', -1, true, %s, false)",
             [chance.randint(1, 40), person, chance.random() < 0.5]),
            ("DELETE FROM access_admission WHERE id IN (SELECT id FROM access_admission WHERE reason = 'loop'"
             " ORDER BY random() LIMIT 5)", []),
            ("UPDATE access_rule SET condition ="
             " jsonb_build_object('field', 'industry', 'is', jsonb_build_array(%s::text))"
             " WHERE NOT territory AND id = (SELECT id FROM access_rule WHERE NOT territory ORDER BY random() LIMIT 1)",
             [chance.choice(INDUSTRIES)]),
            ("UPDATE people_user SET status = CASE status WHEN 'active' THEN 'suspended' ELSE 'active' END"
             " WHERE id = %s AND (status = 'suspended' OR id %% 7 = 0)", [person]),
        )
    )  # fmt: skip
    with psycopg.connect(loop.owner_url) as owner:
        owner.execute(statement.encode(), values)
    time.sleep(chance.random() / 2)


def look(loop: Loop, chance: random.Random) -> None:
    """Ask every door about somebody at one moment; note a problem where two say different things."""
    from hufu.access import cells, guard, lists, queries
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting, in_place_of, undone
    from hufu.crm.resources import CUSTOMER

    operator, actor = Actor.operator(), Actor(chance.choice(loop.people), "")
    with one_moment(), acting(operator), undone():
        snapshot = queries.snapshot()
        if not snapshot.people[actor.user_id].active:
            return
        every = list(CUSTOMER.model_class._base_manager.filter(deleted_at__isnull=True))
        rows = {row.pk: row for row in chance.sample(every, min(ASKED, len(every)))}
        facts = {number: queries.facts(CUSTOMER, row) for number, row in rows.items()}
        explained = {
            number
            for number in rows
            if queries.explain(snapshot, actor.user_id, "customer.view", facts[number]).allowed
        }
        with in_place_of(actor):
            found: dict[str, Any] = {
                f"page by {way}": lists.page(
                    actor, CUSTOMER, lists.Order("updated_at", True), None, {}, len(every) + 1, way
                )
                for way in lists.Way
            }
            found["condition"] = list(
                guard.scope(actor, "customer.view")
                .order_by("-updated_at", "-pk")
                .values_list("pk", flat=True)
            )
            found["row policies"] = list(
                CUSTOMER.model_class._base_manager.filter(deleted_at__isnull=True)
                .order_by("-updated_at", "-pk")
                .values_list("pk", flat=True)
            )
            counted = cells.count(actor, CUSTOMER, with_void=True)
            points = {number for number, row in rows.items() if guard.may(actor, "customer.view", row)}
    listed = found["condition"]
    told = {name: len(numbers) for name, numbers in found.items()}
    if any(numbers != listed for numbers in found.values()) or counted != len(listed):
        loop.problems.append(f"person {actor.user_id}: listed {told}, counted {counted}")
    for name, those in (("point check", points), ("explanation", explained)):
        if those != rows.keys() & set(listed):
            differ = sorted(those ^ (rows.keys() & set(listed)))
            loop.problems.append(f"person {actor.user_id}: the {name} differs from the list about {differ}")


@contextmanager
def one_moment() -> Any:
    """Let a transaction see one state of the database from its first statement to its last."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_isolation = 'repeatable read'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_isolation = 'read committed'")


def kept_twice(owner: psycopg.Connection) -> list[str]:
    """Return what is wrong with what is kept twice, with what is planted there, and with setting it right."""
    from hufu.access import doctor

    def differs(**how: bool) -> list[str]:
        return [f"{found.name}: {found.problem}" for found in doctor.check_drift(**how) if not found.ok]

    problems = differs(repair=False)
    for statement in PLANTED:
        owner.execute(statement.encode())
    planted = differs(repair=False)
    print(f"planted: {len(planted)} kinds of difference found")
    if len(planted) != len(PLANTED):
        problems.append(f"planted {len(PLANTED)} kinds of difference, found {planted}")
    left = differs(repair=True) and differs(repair=False)
    return problems + [f"after setting right: {one}" for one in left]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
