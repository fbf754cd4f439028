"""Kill Hufu CRM in the middle of imports and of requests, again and again, and look each time if the data is whole.

    python tools/crash_loop.py --rounds 40 --seconds 900
    python tools/crash_loop.py --kind import --rounds 5

Everything happens in a folder that vanishes afterwards. Each round starts an import, or the site with people who
create and change customers, and after a moment that chance chooses sends SIGKILL to the process, to the embedded
database, or to everything at once. Then the database is started again and must agree with itself and with its log: an
import is there whole, with its event and its error file, or not at all; every customer has exactly one event of its
creation and there is no other such event; every change has its event; the digest of every event is right; and whatever
was answered is there. Exit code 1 says that something is not so.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import http.client
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
ADDRESSES = ("DATABASE_URL", "HUFU_OWNER_URL", "HUFU_ADMIN_URL", "HUFU_SECRETS")
KINDS = ("import", "requests")
VICTIMS = ("the process", "the database", "everything")
PASSWORD = "killed-again-and-again"
WRONG_ROWS = 5
VISITORS = 3
PATIENCE_SECONDS = 60

POLICY = """
format: 1
organisation:
  departments: [{code: sales, name: Sales}]
  ladders:
    - {key: sales, name: Sales, levels: [{key: rep, name: Representative}]}
partitions: [{key: main, name: Main}]
roles:
  - key: rep
    name: Representative
    grants: {customer.view: everything, customer.create: own, customer.edit: own}
assignments: [{role: rep, to: {level: sales.rep}, reason: Daily work}]
admissions: [{partition: main, to: {department: sales}, rights: [create, edit], reason: Daily work}]
approved_moves: [{anything: true, reason: Nobody is there to release anything}]
"""
USERS = """
format: 1
import: users
files: {users: users.csv}
records:
  - fields: {username: {column: login}, name: {column: name}, department: sales, level: sales.rep}
"""
CUSTOMERS = """
format: 1
import: customers
files: {customers: customers.csv}
records:
  - fields:
      external_id: {column: no}
      name: {column: name}
      stage: new
      owner: ann
      partition: main
      employees: {column: employees}
"""
FACTS = {
    "customers without the event of their creation": """
        SELECT count(*) FROM crm_customer c WHERE NOT EXISTS (SELECT 1 FROM audit_event e
        WHERE e.type = 'customer.created' AND e.target_id = c.id)""",
    "events of creation without a customer": """
        SELECT count(*) FROM audit_event e WHERE e.type = 'customer.created'
        AND NOT EXISTS (SELECT 1 FROM crm_customer c WHERE c.id = e.target_id)""",
    "customers with several events of their creation": """
        SELECT count(*) FROM (SELECT target_id FROM audit_event WHERE type = 'customer.created'
        GROUP BY target_id HAVING count(*) > 1) AS several""",
    "customers whose changes and events of change differ in number": """
        SELECT count(*) FROM crm_customer c WHERE lock_version - 1 <>
        (SELECT count(*) FROM audit_event e WHERE e.type = 'customer.changed' AND e.target_id = c.id)""",
    "events whose digest is wrong": r"""
        SELECT count(*) FROM audit_event WHERE leaf <> sha256('\x00'::bytea || body)""",
}


def main(arguments: Sequence[str]) -> int:
    """Kill and look, until the rounds or the seconds are over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kind", choices=KINDS, help="kill only this (default: both in turn)")
    parser.add_argument("--rounds", type=int, default=20, help="at most so many rounds (default: 20)")
    parser.add_argument("--seconds", type=float, default=600, help="no round begins later (default: 600)")
    parser.add_argument("--rows", type=int, default=3000, help="rows of each import (default: 3000)")
    parser.add_argument("--seed", type=int, default=None, help="the same seed chooses the same moments")
    parser.add_argument(
        "--begin",
        type=Path,
        metavar="DIR",
        help="begin with a copy of this folder of data, migrated and empty",
    )
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--look", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.make:
        make(args.make)
        return 0
    if args.look:
        print(json.dumps(look()))
        return 0
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ADDRESSES:
            os.environ.pop(name, None)
        os.environ["HUFU_VAR"] = str(Path(folder) / "var")
        os.environ["HUFU_LANGUAGE"] = "en"
        if args.begin:
            shutil.copytree(args.begin, os.environ["HUFU_VAR"])
        loop = Loop(Path(folder), random.Random(seed), args.rows)
        loop.set_up()
        end = time.monotonic() + args.seconds
        for number in range(1, args.rounds + 1):
            if time.monotonic() > end:
                break
            kind = args.kind or KINDS[number % 2]
            loop.round(number, kind)
            if loop.problems:
                break
    print(
        f"{sum(loop.rounds.values())} rounds ({', '.join(f'{n} {kind}' for kind, n in loop.rounds.items())}):"
        f" {loop.stored} imports were stored whole, {loop.undone} left nothing; {loop.answered:,} requests that"
        f" were answered are there; {len(loop.problems)} problems"
    )
    for problem in loop.problems:
        print(f"PROBLEM {problem}")
    return 1 if loop.problems else 0


@dataclass
class Loop:
    """One folder that is killed in again and again, and what it must hold."""

    folder: Path
    chance: random.Random
    rows: int
    # How long an import takes that nobody kills.
    whole_seconds: float = 0.0
    imports: list[str] = field(default_factory=list)
    created: set[str] = field(default_factory=set)
    changed: dict[str, str] = field(default_factory=dict)
    rounds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    stored: int = 0
    undone: int = 0

    @property
    def answered(self) -> int:
        """How many requests were answered as done."""
        return len(self.created) + len(self.changed)

    def set_up(self) -> None:
        """Make a company of one representative who can sign in, and measure a whole import."""
        self._write("policy.yaml", POLICY)
        self._write("users.yaml", USERS)
        self._write("customers.yaml", CUSTOMERS)
        self._write("users.csv", "login,name\nann,Ann\n")
        subprocess.run([sys.executable, __file__, "--make", str(self.folder)], check=True, cwd=ROOT)
        begin = time.monotonic()
        process = self._start_import("whole")
        process.wait()
        self.whole_seconds = time.monotonic() - begin
        self._look("the import that nobody killed")
        if self.stored != 1:
            self.problems.append("the import that nobody killed is not stored")

    def round(self, number: int, kind: str) -> None:
        """Start something, kill it, and look."""
        victim = self.chance.choice(VICTIMS)
        self.rounds[kind] += 1
        what = self._kill_import(number, victim) if kind == "import" else self._kill_requests(number, victim)
        self._look(f"round {number}: {what}")

    def _kill_import(self, number: int, victim: str) -> str:
        process = self._start_import(f"round{number}")
        # Between the start of the database and the end, inside the import most of the time.
        moment = self.whole_seconds * self.chance.uniform(0.3, 0.95)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        kill(process.pid, victim)
        process.wait(PATIENCE_SECONDS)
        return f"{victim} killed {moment:.2f} s after the start of an import"

    def _kill_requests(self, number: int, victim: str) -> str:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "hufu.cli.main", "serve", "--port", str(port)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            visitors = [Visitor(port, f"r{number}v{index}") for index in range(VISITORS)]
            first = visitors[0]
            first.wait(process)
            first.sign_in()
            for visitor in visitors[1:]:
                visitor.cookies = dict(first.cookies)
            threads = [threading.Thread(target=visitor.work, daemon=True) for visitor in visitors]
            for thread in threads:
                thread.start()
            moment = self.chance.uniform(0.3, 4.0)
            time.sleep(moment)
            kill(process.pid, victim)
            if victim == "the database":
                # The site starts it again and goes on.
                time.sleep(self.chance.uniform(0.5, 4.0))
                kill(process.pid, "everything")
            for visitor in visitors:
                visitor.is_over = True
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
            for visitor in visitors:
                self.created |= visitor.created
                self.changed |= visitor.changed
            done = sum(len(visitor.created) + len(visitor.changed) for visitor in visitors)
            return f"{victim} killed after {moment:.2f} s and {done} answered requests"
        finally:
            if process.poll() is None:
                kill(process.pid, "everything")
            process.wait(PATIENCE_SECONDS)

    def _start_import(self, name: str) -> subprocess.Popen[bytes]:
        self.imports.append(name)
        path = self.folder / f"{name}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["no", "name", "employees"])
            writer.writerows([f"{name}-{row}", f"{name} company {row}", row] for row in range(self.rows))
            writer.writerows([f"{name}-w{row}", f"{name} wrong {row}", "many"] for row in range(WRONG_ROWS))
        words = (
            "import",
            "customers",
            str(path),
            "--map",
            str(self.folder / "customers.yaml"),
            "--skip-errors",
        )
        return subprocess.Popen(
            [sys.executable, "-m", "hufu.cli.main", *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _look(self, what: str) -> None:
        """Start the database in a process of its own and compare what it holds with what it must hold."""
        result = subprocess.run(
            [sys.executable, __file__, "--look"], capture_output=True, text=True, check=False, cwd=ROOT
        )
        if result.returncode:
            self.problems.append(f"{what}: the database does not start: {result.stderr[-2000:]}")
            return
        found: dict[str, Any] = json.loads(result.stdout)
        problems = [f"{count} {fact}" for fact, count in found["facts"].items() if count]
        events = {name: (created, refused) for name, created, refused in found["imports"]}
        self.stored = self.undone = 0
        for name in self.imports:
            count = found["customers"].get(name, 0)
            event = events.pop(f"{name}.csv", None)
            errors = self.folder / f"{name}.refused.csv"
            if count and event:
                self.stored += 1
                if count != self.rows or event != (self.rows, WRONG_ROWS):
                    problems.append(f"{name}: {count} customers, event {event}")
                if not errors.exists():
                    problems.append(f"{name}: stored, and its error file is not there")
            elif count or event:
                problems.append(f"{name}: {count} customers, event {event}")
            else:
                self.undone += 1
            if errors.exists() and errors.read_text(encoding="utf-8-sig").count("\n") != WRONG_ROWS + 1:
                problems.append(f"{name}: its error file is not whole")
        if events:
            problems.append(f"events of imports that there were not: {events}")
        if hidden := [path.name for path in self.folder.glob(".*")]:
            problems.append(f"left behind: {hidden}")
        if lost := self.created - set(found["served"]):
            problems.append(f"answered as created and not there: {sorted(lost)[:5]}")
        for name, region in self.changed.items():
            if found["served"].get(name) != region:
                problems.append(f"answered as changed and not so: {name} {found['served'].get(name)}")
        self.problems += [f"{what}: {problem}" for problem in problems]
        print(
            f"{what}: {found['total']:,} customers, {found['events']:,} events, {len(problems)} problems",
            flush=True,
        )

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")


@dataclass
class Visitor:
    """Somebody at a browser who creates customers and changes them until the site is gone."""

    port: int
    name: str
    cookies: dict[str, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    changed: dict[str, str] = field(default_factory=dict)
    is_over: bool = False

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the site answers."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("GET", "/accounts/login/")[0] == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError("The site does not answer.")

    def sign_in(self) -> None:
        """Sign in as the representative."""
        form = form_in(self.ask("GET", "/accounts/login/")[2])
        status, _location, page = self.ask(
            "POST", "/accounts/login/", {**form, "login": "ann", "password": PASSWORD}
        )
        if status != 302:
            raise RuntimeError(f"Signing in was answered with {status}: {page[:300]}")

    def work(self) -> None:
        """Create and change customers; remember what was answered as done."""
        count = 0
        while not self.is_over:
            with contextlib.suppress(OSError, http.client.HTTPException):
                count += 1
                self._create_and_change(f"{self.name}n{count}")
                continue
            time.sleep(0.05)

    def _create_and_change(self, name: str) -> None:
        form = form_in(self.ask("GET", "/customers/new")[2])
        status, location, _page = self.ask("POST", "/customers/new", {**form, "name": name, "region": "made"})
        if status != 302:
            return
        self.created.add(name)
        form = form_in(self.ask("GET", f"{location}edit")[2])
        status, _location, _page = self.ask("POST", f"{location}edit", {**form, "region": "moved"})
        if status == 302:
            self.changed[name] = "moved"

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Send a request; return status, where it leads, and the page."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=20)
        try:
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            body = None
            if form is not None:
                body = urlencode(form)
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                headers["Origin"] = f"http://localhost:{self.port}"
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page = response.read().decode()
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    key, _equals, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            return response.status, response.getheader("Location", ""), page
        finally:
            connection.close()


def make(folder: Path) -> None:
    """Make the company from the files in a folder, in one process; raise where a command fails."""
    from hufu.cli import environment
    from hufu.cli.main import main as command

    commands = (
        ("setup", "--system", "sys:Administrator", "--audit", "aud:Auditor", "--json"),
        ("policy", "apply", str(folder / "policy.yaml")),
        ("import", "users", str(folder / "users.csv"), "--map", str(folder / "users.yaml")),
    )
    with environment.connected(set_up=True):
        for words in commands:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                code = command(words)
            if code:
                raise RuntimeError(f"hufu {words[0]} ended with exit code {code}: {printed.getvalue()}")
        from hufu.people.models import User

        # What the link of an invitation does, without the page.
        user = User.objects.get(username="ann")
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])


def look() -> dict[str, Any]:
    """Start the embedded database of HUFU_VAR and return what it holds."""
    import psycopg

    from hufu.cli import environment

    with environment.database() as database, psycopg.connect(database.url("hufu_owner")) as owner:

        def one(query: str) -> Any:
            row = owner.execute(query).fetchone()
            assert row is not None
            return row[0]

        customers = owner.execute(
            "SELECT split_part(external_id, '-', 1), count(*) FROM crm_customer"
            " WHERE external_id IS NOT NULL GROUP BY 1"
        ).fetchall()
        imports = owner.execute(
            "SELECT data->>'file', (data->>'created')::int, (data->>'refused')::int FROM"
            " (SELECT convert_from(body, 'UTF8')::jsonb->'data' AS data FROM audit_event"
            " WHERE type = 'customer.imported') AS event"
        ).fetchall()
        served = owner.execute("SELECT name, region FROM crm_customer WHERE external_id IS NULL").fetchall()
        return {
            "facts": {fact: one(query) for fact, query in FACTS.items()},
            "total": one("SELECT count(*) FROM crm_customer"),
            "events": one("SELECT count(*) FROM audit_event"),
            "customers": dict(customers),
            "imports": imports,
            "served": dict(served),
        }


def kill(process: int, victim: str) -> None:
    """Send SIGKILL to a process, to the database that it started, or to it and everything below it."""
    below = list(descendants(process))
    postmaster = postmaster_of(below)
    if victim == "the process":
        targets = [process]
    elif victim == "the database":
        targets = [postmaster] if postmaster else []
    else:
        targets = [process, *below]
    for target in targets:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)


def postmaster_of(processes: Sequence[int]) -> int | None:
    """Return the embedded server among these processes."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        number = int((Path(os.environ["HUFU_VAR"]) / "postgres" / "postmaster.pid").read_text().split()[0])
        return number if number in processes else None
    return None


def descendants(process: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that these started."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    waiting = list(children.get(process, ()))
    while waiting:
        number = waiting.pop()
        yield number
        waiting += children.get(number, ())


def form_in(page: str) -> dict[str, str]:
    """Return what the form in a page's source holds."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        named = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_sent = named.get("type") not in ("radio", "checkbox", "search") or " checked" in tag
        if "name" in named and is_sent:
            found[named["name"]] = named.get("value", "")
    for name, body in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen.group(1) if chosen else ""
    for name, body in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        found[name] = body.strip()
    return {name: unescape(value) for name, value in found.items()}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
