"""The `hufu` command itself: help, exit codes, errors as sentences."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.utils import translation

from hufu import __version__
from hufu.cli import main
from hufu.cli.commands import doctor
from hufu.core.errors import Conflict, Denied, Invalid, NotFound, Unavailable


def hufu(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", *arguments], capture_output=True, text=True, check=False
    )


def test_it_tells_its_version():
    assert hufu("--version").stdout == f"hufu {__version__}\n"


def test_help_lists_every_command_and_imports_no_django():
    names = {module.NAME for module in main._modules([])}
    assert {"serve", "migrate", "doctor"} <= names
    code = (
        "import sys\nfrom hufu.cli import main\n"
        "try: main.main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit('django' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, "hufu --help imports Django: it would take a second"
    assert names <= set(result.stdout.replace(",", " ").split())


def test_the_dictionaries_of_pinyin_are_loaded_by_what_serves_pages_and_not_by_every_command():
    code = (
        "import os, sys, django;"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'hufu.config.settings'; django.setup();"
        "before = 'pypinyin' in sys.modules; import hufu.config.wsgi;"
        "print(before, 'pypinyin' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout == "False True\n", result.stderr


@pytest.mark.parametrize("name", sorted(module.NAME for module in main._modules([])))
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main([name, "--help"])
    assert ended.value.code == main.DONE
    assert len(capsys.readouterr().out.splitlines()) > 3


@pytest.mark.parametrize(
    "words", [[], ["no-such-command"], ["serve", "--no-such-option"], ["serve", "--port", "x"]]
)
def test_wrong_usage_is_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == main.USAGE


@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("port", ["0", "65536", "99999", "-1", "８０００"])
def test_a_port_that_is_none_is_wrong_usage(command, port, capsys):
    with translation.override("en"), pytest.raises(SystemExit) as ended:
        main.main([command, f"--port={port}"])
    assert ended.value.code == main.USAGE
    assert "1 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (Unavailable("The disk is full."), main.UNAVAILABLE, "The disk is full."),
        (NotFound(), main.REFUSED, "There is no such thing, or it may not be seen."),
        (Denied(None), main.REFUSED, "This is not allowed."),
        (Invalid({"name": ["A name is needed."]}), main.REFUSED, "A name is needed."),
        (Conflict(), main.REFUSED, "nothing was overwritten"),
        (KeyboardInterrupt(), main.INTERRUPTED, ""),
    ],
)
def test_errors_are_sentences_with_an_exit_code(error, code, told, monkeypatch, capsys):
    def fail(_args):
        raise error

    monkeypatch.setattr(doctor, "run", fail)
    with translation.override("en"):
        assert main.main(["doctor"]) == code
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said
