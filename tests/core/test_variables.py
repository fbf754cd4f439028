"""A wrong variable is one sentence that names it, says its value and what is allowed; in both languages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hufu.core import variables
from hufu.core.errors import Unavailable
from hufu.core.postgres import urls

HUFU = Path(variables.__file__).resolve().parents[1]


def run(**values: str) -> subprocess.CompletedProcess[str]:
    """Run a command that needs the settings, with a database that is not there."""
    return subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", "doctor"],
        env={**os.environ, "DATABASE_URL": "postgresql://hufu_app@127.0.0.1:1/nowhere", **values},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("HUFU_ORIGIN", "crm.example.com", "https://crm.example.com"),
        ("HUFU_ALLOWED_HOSTS", "crm.example.com,http://b", "crm.example.com"),
        ("HUFU_METRICS_NETWORKS", "prometheus", "10.0.0.0/8"),
        ("HUFU_DEMO", "true", "0, 1"),
        ("HUFU_SECOND_FACTOR", "always", "required_for_administrators, optional"),
        ("HUFU_LOG_FORMAT", "xml", "text, json"),
        ("HUFU_LOG_LEVEL", "LOUD", "INFO, DEBUG, WARNING, ERROR"),
        ("HUFU_ACCESS_LOG", "yes", "on, off"),
        ("HUFU_LIMIT_LISTS", "many", "0"),
        ("HUFU_ATTACHMENTS", __file__, "folder"),
        ("HUFU_LANGUAGE", "fr", "zh"),
        ("HUFU_BACKUP_AT", "25:00", "02:30"),
        ("HUFU_BACKUP_KEEP", "many", "7,4,12"),
        ("HUFU_PG_BIN", "/nowhere/bin", "pg_dump"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_its_value_and_what_is_allowed(
    name: str, value: str, allowed: str
) -> None:
    spoken = {} if name == "HUFU_LANGUAGE" else {"HUFU_LANGUAGE": "en"}
    ended = run(**{**spoken, name: value})
    assert ended.returncode == 3
    [sentence] = ended.stderr.splitlines()
    assert sentence.startswith(f"hufu: {name}")
    assert value.rpartition(",")[2] in sentence
    assert allowed in sentence


def test_it_is_said_in_chinese_too() -> None:
    ended = run(HUFU_LANGUAGE="zh", HUFU_LOG_LEVEL="LOUD", HUFU_LOG_LEVLE="x")
    assert ended.returncode == 3
    warning, sentence = ended.stderr.splitlines()
    assert "HUFU_LOG_LEVLE" in warning
    assert "HUFU_LOG_LEVEL" in warning
    assert "没有" in warning
    assert "LOUD" in sentence
    assert "请" in sentence


@pytest.mark.parametrize(
    "url",
    ["mysql://root:s3cret@h/crm", "postgresql://u:s3cret@h:port/crm", "postgresql://u:s3cret@h", "s3cret"],
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "HUFU_OWNER_URL"])
def test_an_address_of_a_database_is_refused_without_a_word_of_it(name: str, url: str) -> None:
    with pytest.raises(Unavailable) as refused:
        urls.check(name, url)
    assert name in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "ftp://x",
        "https://",
        "https://a b",
        "https://x/path",
        "https://x?y",
        "https://u:s3cret@x",
        "https://x:port",
    ],
)
def test_an_origin_is_scheme_and_host_and_nothing_else(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HUFU_ORIGIN", value)
    with pytest.raises(Unavailable) as refused:
        variables.origin("HUFU_ORIGIN", default="http://localhost")
    assert "s3cret" not in str(refused.value)
    for sound in ("https://crm.example.com/", "http://10.0.0.1:8000", "http://[::1]:8000"):
        monkeypatch.setenv("HUFU_ORIGIN", sound)
        assert variables.origin("HUFU_ORIGIN", default="") == sound.rstrip("/")


def test_a_name_that_is_none_is_told_with_the_nearest(in_english: None) -> None:
    told = list(
        variables.unknown({"HUFU_ORIGN": "x", "HUFU_WHATEVER": "x", "HUFU_SSO_KEY": "x", "PATH": "x"})
    )
    assert told == [
        "There is no variable HUFU_ORIGN; it has no effect. Is HUFU_ORIGIN meant?",
        "There is no variable HUFU_WHATEVER; it has no effect.",
    ]


def test_every_variable_that_the_program_reads_is_known_and_documented() -> None:
    import re

    said = "\n".join(path.read_text(encoding="utf-8") for path in HUFU.rglob("*.py"))
    read = set(re.findall(r'"(HUFU_[A-Z_]+)"', said))
    assert read <= set(variables.KNOWN) | {"HUFU_SSO_", "HUFU_TEST_", "HUFU_ORGANISATIONS"}
    docs = "\n".join(path.read_text(encoding="utf-8") for path in (HUFU.parent / "docs").glob("*.md"))
    assert [name for name in variables.KNOWN if name not in docs] == []
