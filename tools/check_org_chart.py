"""Import a real organisation in shuffled order and compare, for everybody, who stands below them.

    python tools/check_org_chart.py DATA_DIR --seeds 5

DATA_DIR holds employees_flat.csv. Each seed shuffles its rows, imports them into an empty database in a folder that
vanishes afterwards, and compares the set of people below each employee: counted from the file by this script alone,
and by the database from `people_user.manager_id`. Then a copy in which a circle and a missing manager are planted must
be refused, naming these rows. Exit code 1 says that something differs.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MAPS = ROOT / "examples" / "maps" / "org-chart"
FILE = "employees_flat.csv"
ADDRESSES = ("DATABASE_URL", "HUFU_OWNER_URL", "HUFU_ADMIN_URL", "HUFU_SECRETS")
BELOW = """
    WITH RECURSIVE line (above, below) AS (
        SELECT manager_id, id FROM people_user WHERE manager_id IS NOT NULL
        UNION
        SELECT line.above, u.id FROM line JOIN people_user u ON u.manager_id = line.below
    )
    SELECT a.external_id, array_agg(b.external_id) FROM line
    JOIN people_user a ON a.id = line.above JOIN people_user b ON b.id = line.below GROUP BY a.external_id
"""

Employee = dict[str, str]


def main(arguments: Sequence[str]) -> int:
    """Check each seed in a process and a folder of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", metavar="DATA_DIR", type=Path)
    parser.add_argument("--seeds", type=int, default=1, help="how many orders to try (default: 1)")
    parser.add_argument("--seed", type=int, help="check one order in the folder HUFU_VAR")
    args = parser.parse_args(arguments)
    if not (args.data / FILE).is_file():
        parser.error(f"{args.data} does not hold {FILE}; name the folder of the org-chart data")
    if args.seed is not None:
        return check(args.data.resolve() / FILE, args.seed)
    failed = False
    for seed in range(1, args.seeds + 1):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            environment = {key: value for key, value in os.environ.items() if key not in ADDRESSES}
            environment["HUFU_VAR"] = str(Path(folder) / "var")
            command = [sys.executable, __file__, str(args.data.resolve()), "--seed", str(seed)]
            failed |= subprocess.run(command, env=environment, check=False).returncode != 0
    return 1 if failed else 0


def check(path: Path, seed: int) -> int:
    """Check one order in a database of its own, and say by the exit code whether all is as it must be."""
    from hufu.cli import environment

    subprocess.run([sys.executable, "-m", "hufu.cli.main", "migrate", "--quiet"], check=True, cwd=ROOT)
    with environment.connected():
        return 0 if is_as_it_must_be(path, seed, environment.var()) else 1


def is_as_it_must_be(path: Path, seed: int, folder: Path) -> bool:
    """Import one order into the connected database, compare, plant what is wrong, and print what was found."""
    employees = read(path)
    random.Random(seed).shuffle(employees)
    shuffled = write(folder / FILE, employees)
    departments = import_("departments", shuffled)
    people = import_("users", shuffled)
    expected, found = below(employees), below_in_database()
    again = import_("users", shuffled)
    wrong = planted(folder, employees, seed)
    differing = sum(expected[number] != found.get(number, set()) for number in expected)
    problems = [
        departments["refused"] + people["refused"] > 0,
        people["created"] != len(employees),
        differing > 0,
        again["created"] + again["updated"] > 0,
        *wrong,
    ]
    print(
        f"seed {seed}: {departments['created']} departments, {people['created']:,} people,"
        f" {sum(map(len, found.values())):,} pairs above and below, {differing} people differ;"
        f" again: {again['unchanged']:,} unchanged"
    )
    return not any(problems)


def planted(folder: Path, employees: list[Employee], seed: int) -> list[bool]:
    """Plant a circle and a missing manager in a copy; return what was not refused as it must be."""
    chance = random.Random(seed)
    copy = [dict(each) for each in employees]
    rows = {each["employeeId"]: row for row, each in enumerate(copy, start=2)}
    managers = {each["employeeId"]: each["managerEmployeeId"] for each in copy}
    # The whole line above somebody in the middle, closed by its second from the top.
    line = [chance.choice([each["employeeId"] for each in copy if each["managerEmployeeId"]])]
    while managers[line[-1]] and managers[managers[line[-1]]]:
        line.append(managers[line[-1]])
    copy[rows[line[-1]] - 2]["managerEmployeeId"] = line[0]
    orphan = chance.choice([each["employeeId"] for each in copy if each["employeeId"] not in line])
    copy[rows[orphan] - 2]["managerEmployeeId"] = "999999"
    for each in copy:
        each["employeeId"] = f"x{each['employeeId']}"
        each["managerEmployeeId"] = each["managerEmployeeId"] and f"x{each['managerEmployeeId']}"
    report = import_("users", write(folder / "planted.csv", copy), refused=True)
    refused = {problem["row"]: problem for problem in report["refusals"]}
    expected = {rows[number] for number in (*line, orphan)}
    print(
        f"seed {seed}: a circle of {len(line)} and a missing manager planted; refused rows"
        f" {sorted(refused)}, expected {sorted(expected)}"
    )
    return [
        set(refused) != expected,
        "x999999" not in refused.get(rows[orphan], {}).get("reason", ""),
        any(" → " not in refused.get(rows[number], {}).get("reason", "") for number in line),
        len(below_in_database()) != len({each["managerEmployeeId"] for each in employees} - {""}),
    ]


def below(employees: list[Employee]) -> dict[str, set[str]]:
    """Return who stands below each employee, from the file."""
    reports: dict[str, list[str]] = defaultdict(list)
    for each in employees:
        reports[each["managerEmployeeId"]].append(each["employeeId"])
    found: dict[str, set[str]] = {}
    for each in employees:
        waiting, seen = list(reports[each["employeeId"]]), set()
        while waiting:
            number = waiting.pop()
            seen.add(number)
            waiting += reports[number]
        found[each["employeeId"]] = seen
    return found


def below_in_database() -> dict[str, set[str]]:
    """Return who stands below each employee that has anybody below, from the database."""
    from django.db import connection

    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    with acting(Actor.operator()), connection.cursor() as cursor:
        cursor.execute(BELOW)
        return {number: set(numbers) for number, numbers in cursor.fetchall()}


def read(path: Path) -> list[Employee]:
    """Return the rows of a file."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, employees: list[Employee]) -> Path:
    """Write a file and return where."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(employees[0]))
        writer.writeheader()
        writer.writerows(employees)
    return path


def import_(type_name: str, path: Path, *, refused: bool = False) -> dict[str, Any]:
    """Import a file and return the report; end the check when it is not refused as expected."""
    from hufu.cli.main import main as command

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = command(["import", type_name, str(path), "--map", str(MAPS / f"{type_name}.yaml"), "--json"])
    if code != int(refused):
        sys.exit(f"hufu import {type_name} {path} ended with exit code {code}:\n{printed.getvalue()[:2000]}")
    report: dict[str, Any] = json.loads(printed.getvalue())
    return report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
