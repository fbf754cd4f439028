"""Search a dump of a database, and folders beside it, for the personal values of every customer and contact in it.

    python tools/check_at_rest.py                          # the installation in HUFU_VAR, such as a demo
    python tools/check_at_rest.py --folder var/files       # files, too

The values are opened with the keys of the installation; then the dump is made as the owner of the tables, in plain
SQL, and every value is looked for as it is, without its country code, in UTF-16, hexadecimal and base64 (in each of
its three alignments). Prints how many values of each field were looked for and found; exit code 1 when any was.
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from hufu.cli import environment
from hufu.core.postgres.launcher import binaries
from hufu.core.postgres.roles import OWNER

# Shorter ones are found by chance.
SHORTEST = 6


def plain_forms(value: str) -> set[bytes]:
    """Return how a value is written: as it is, without its country code, without what stands between digits."""
    national = value.removeprefix("+86").strip()
    texts = {value, national, national.replace(" ", "").replace("-", "")}
    return {text.encode() for text in texts if len(text) >= SHORTEST}


def coded_forms(value: str) -> Iterator[bytes]:
    """Yield what a value is in UTF-16, hexadecimal and base64."""
    for plain in plain_forms(value):
        utf_16 = (plain.decode().encode("utf-16-le"), plain.decode().encode("utf-16-be"))
        for raw in (plain, *utf_16):
            yield raw.hex().encode()
            yield raw.hex().upper().encode()
            for shift in range(3):
                # Only the characters that no neighbour changes.
                coded = base64.b64encode(b"\0" * shift + raw)
                yield coded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        yield from utf_16


def values() -> dict[str, set[str]]:
    """Return the personal values of all records, by field."""
    from hufu.access import registry

    found: dict[str, set[str]] = {}
    for resource in registry.resource_types():
        for declared in resource.fields:
            if declared.is_encrypted:
                rows = resource.model_class._base_manager.values_list(declared.column, flat=True)
                found[f"{resource.name}.{declared.name}"] = {value for value in rows if value}
    return found


def dump(into: Path) -> None:
    """Write a dump of everything that the owner of the database can read."""
    from django.db import connection

    settings = connection.settings_dict
    command = [
        *(str(binaries() / "pg_dump"), "--no-password", "-h", settings["HOST"], "-p", str(settings["PORT"])),
        *("-U", settings["USER"], "-d", settings["NAME"], "-f", str(into)),
    ]
    subprocess.run(
        command, check=True, env={"PGPASSWORD": str(settings["PASSWORD"]), "PATH": "/usr/bin:/bin"}
    )


def search(files: Sequence[Path], wanted: Mapping[str, set[str]]) -> dict[str, int]:
    """Return of how many values of each field any form stands in the files."""
    plain: dict[bytes, set[tuple[str, str]]] = defaultdict(set)
    coded: dict[bytes, set[tuple[str, str]]] = defaultdict(set)
    for field, each in wanted.items():
        for value in each:
            for form in plain_forms(value):
                plain[form].add((field, value))
            for form in coded_forms(value):
                coded[form].add((field, value))
    # Eleven digits stand in a long ciphertext by chance: what is plain must stand as a word.
    hits = {hit for form in grep(plain, files, "-w") for hit in plain[form]}
    hits |= {hit for form in grep(coded, files) for hit in coded[form]}
    return {field: sum(1 for name, _value in hits if name == field) for field in wanted}


def grep(forms: Iterable[bytes], files: Sequence[Path], *options: str) -> set[bytes]:
    """Return those of the texts that stand in the files."""
    lines = [form for form in forms if b"\n" not in form]
    with tempfile.NamedTemporaryFile() as patterns:
        patterns.write(b"\n".join(lines) + b"\n")
        patterns.flush()
        command = ["grep", "-a", "-o", "-h", "-F", *options, "-f", patterns.name, "--", *map(str, files)]
        done = subprocess.run(command, capture_output=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    if done.returncode > 1:
        raise SystemExit(done.stderr.decode())
    return set(done.stdout.split(b"\n")) & set(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, action="append", default=[], help="search these files, too")
    args = parser.parse_args()
    with environment.connected(OWNER), tempfile.TemporaryDirectory() as folder:
        wanted = values()
        dumped = Path(folder) / "dump.sql"
        dump(dumped)
        files = [dumped, *(path for each in args.folder for path in each.rglob("*") if path.is_file())]
        size = sum(path.stat().st_size for path in files)
        found = search(files, wanted)
    print(f"{len(files)} files, {size:,} bytes")
    for field, each in wanted.items():
        print(f"{field}: {len(each):,} values looked for, {found[field]:,} found")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
