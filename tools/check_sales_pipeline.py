"""Import the sales pipeline data into an empty company, twice over, and compare what everybody counts with the files.

    python tools/check_sales_pipeline.py DATA_DIR

DATA_DIR holds accounts.csv, products.csv, sales_pipeline.csv and sales_teams.csv. Two companies are set up in folders
that vanish afterwards: regions as departments of one partition, and regions as three partitions. The expected numbers
are counted from the files by this script alone; the others come from `hufu count … --json`. Exit code 1 says that some
number differs.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VARIANTS = {"departments": "sales-pipeline", "partitions": "sales-pipeline-partitions"}
FILES = ("accounts.csv", "sales_pipeline.csv", "sales_teams.csv")
ADDRESSES = ("DATABASE_URL", "HUFU_OWNER_URL", "HUFU_ADMIN_URL", "HUFU_SECRETS")


def main(arguments: Sequence[str]) -> int:
    """Check both variants, each in a process and a folder of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", metavar="DATA_DIR", type=Path)
    parser.add_argument("--variant", choices=VARIANTS, help="check one variant in the folder HUFU_VAR")
    args = parser.parse_args(arguments)
    if missing := [name for name in FILES if not (args.data / name).is_file()]:
        parser.error(
            f"{args.data} does not hold {', '.join(missing)}; name the folder of the sales pipeline data"
        )
    if args.variant:
        return check(args.data.resolve(), args.variant)
    failed = False
    for variant in VARIANTS:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            environment = {key: value for key, value in os.environ.items() if key not in ADDRESSES}
            environment["HUFU_VAR"] = str(Path(folder) / "var")
            command = [sys.executable, __file__, str(args.data.resolve()), "--variant", variant]
            failed |= subprocess.run(command, env=environment, check=False).returncode != 0
    return 1 if failed else 0


@dataclass(frozen=True)
class Line:
    """One number that was compared."""

    what: str
    expected: int
    found: int


def check(data: Path, variant: str) -> int:
    """Set one company up, compare, print the table, and say by the exit code whether all numbers agree."""
    from hufu.cli import environment

    subprocess.run([sys.executable, "-m", "hufu.cli.main", "migrate", "--quiet"], check=True, cwd=ROOT)
    with environment.connected():
        lines = list(compare(data, variant))
    print(f"\nRegions as {variant}")
    for line in lines:
        verdict = "" if line.expected == line.found else "  DIFFERS"
        print(f"  {line.what:<52} {line.expected:>7,} {line.found:>7,}{verdict}")
    wrong = sum(line.expected != line.found for line in lines)
    print(f"  {len(lines)} numbers compared, {wrong} differ")
    return 1 if wrong else 0


def compare(data: Path, variant: str) -> Iterator[Line]:
    """Import everything, then count as everybody."""
    teams, deals = read(data / "sales_teams.csv"), read(data / "sales_pipeline.csv")
    accounts = read(data / "accounts.csv")
    region = {row["sales_agent"]: row["regional_office"] for row in teams}
    manager = {row["sales_agent"]: row["manager"] for row in teams}
    dealt = {(deal["account"], region[deal["sales_agent"]]) for deal in deals if deal["account"]}
    by_agent = Counter(deal["sales_agent"] for deal in deals)
    by_manager = Counter(manager[deal["sales_agent"]] for deal in deals)
    by_region = Counter(region[deal["sales_agent"]] for deal in deals)

    folder = ROOT / "examples" / "maps" / VARIANTS[variant]
    policy = ROOT / "examples" / "policies" / f"sales-pipeline-{variant}.yaml"
    hufu("setup", "--system", "administrator:Administrator", "--audit", "auditor:Auditor", "--json")
    hufu("policy", "apply", str(policy))
    sheets = [str(data / name) for name in ("accounts.csv", "sales_pipeline.csv")]
    if variant == "partitions":
        sheets.append(str(data / "sales_teams.csv"))
    imports = {
        "users": ("users", [str(data / "sales_teams.csv")]),
        "directors": ("users", [str(data / "sales_teams.csv")]),
        "customers": ("customers", sheets),
        "opportunities": ("opportunities", [str(data / "sales_pipeline.csv")]),
    }
    reports = {
        name: import_(type_name, files, folder / f"{name}.yaml")
        for name, (type_name, files) in imports.items()
    }
    customers = len(accounts) if variant == "departments" else len(dealt)
    yield Line(
        "agents and managers created", len(region) + len(set(manager.values())), reports["users"]["created"]
    )
    yield Line("customers created", customers, reports["customers"]["created"])
    yield Line("opportunities created", len(deals), reports["opportunities"]["created"])
    yield Line(
        "opportunities without customer, as reported",
        sum(not deal["account"] for deal in deals),
        reports["opportunities"]["left_empty"]["customer"],
    )
    yield Line(
        "GTXPro → GTX Pro, as reported",
        sum(deal["product"] == "GTXPro" for deal in deals),
        sum(each["count"] for each in reports["opportunities"]["translated"] if each["from"] == "GTXPro"),
    )
    for name, (type_name, files) in imports.items():
        again = import_(type_name, files, folder / f"{name}.yaml")
        yield Line(f"{name} changed by importing again", 0, again["created"] + again["updated"])

    for name in sorted(set(manager.values())):
        yield Line(f"manager {name}", by_manager[name], count("opportunity.view", username(name)))
    for name in sorted(region):
        yield Line(f"agent {name}", by_agent[name], count("opportunity.view", username(name)))
    for name in sorted(by_region):
        yield Line(
            f"admitted to {name}", by_region[name], count("opportunity.view", f"director.{name.lower()}")
        )
        seen = customers if variant == "departments" else sum(where == name for _account, where in dealt)
        yield Line(f"customers seen from {name}", seen, count("customer.view", f"director.{name.lower()}"))


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def username(name: str) -> str:
    """Return the user name that the maps give to a person."""
    return name.lower().replace(" ", ".")


def import_(type_name: str, files: Sequence[str], map_file: Path) -> dict[str, Any]:
    """Import and return the report."""
    report: dict[str, Any] = json.loads(hufu("import", type_name, *files, "--map", str(map_file), "--json"))
    return report


def count(permission: str, person: str) -> int:
    """Return what `hufu count` says."""
    return int(json.loads(hufu("count", permission, "--as", person, "--json"))["count"])


def hufu(*words: str) -> str:
    """Run a command of `hufu` and return what it printed; end the check when it fails."""
    from hufu.cli.main import main as command

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = command(words)
    if code:
        sys.exit(f"hufu {' '.join(words)} ended with exit code {code}:\n{printed.getvalue()}")
    return printed.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
