"""docs/compliance.md names what exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\|(?! id | clause | source |-)(?P<cells>.+)\|$", re.MULTILINE)
NAMED = re.compile(r"`((?:tests|docs|tools|hufu)/[\w./-]+)(?:::(\w+))?`")
DOCUMENT = (ROOT / "docs" / "compliance.md").read_text(encoding="utf-8")


def names_in(path: Path) -> set[str]:
    """Return the names of the tests of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_file_and_test_that_is_named_exists() -> None:
    named = NAMED.findall(DOCUMENT)
    assert len(named) > 40
    assert [path for path, _test in named if not (ROOT / path).is_file()] == []
    assert [(path, test) for path, test in named if test and test not in names_in(ROOT / path)] == []


def test_every_row_has_a_state_and_what_is_not_missing_is_shown() -> None:
    rows = [[cell.strip() for cell in row.split("|")] for row in ROW.findall(DOCUMENT)]
    assert len(rows) > 40
    for row in rows:
        state = row[2].partition(":")[0]
        assert state in {"done", "part", "not yet"}, row
        assert bool(NAMED.search(row[3])) == (state != "not yet"), row
