"""docs/commands.md names every command, and every line in it is one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from hufu.cli import main

REFERENCE = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"```sh\n(.*?)```", REFERENCE, re.DOTALL) for line in block.splitlines()
]


def test_every_command_has_its_section():
    sections = set(re.findall(r"^## hufu ([a-z-]+)", REFERENCE, re.MULTILINE))
    assert sections == {module.NAME for module in main._modules([])}


@pytest.mark.parametrize("line", sorted(set(LINES)))
def test_every_line_is_a_command_that_would_run(line, monkeypatch):
    program, *words = shlex.split(line, comments=True)
    assert program == "hufu"
    for module in main._modules([]):
        monkeypatch.setattr(module, "run", lambda args: 0)
    assert main.main(words) == 0


def test_the_policy_in_the_reference_can_be_applied(hufu, write):
    (text,) = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    assert hufu("setup", "--system", "wang:王伟", "--audit", "zhao:赵敏").code == 0
    said = hufu("policy", "apply", write(text))
    assert said.code == 0, said.err
