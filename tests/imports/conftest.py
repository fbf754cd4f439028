"""Small files and maps, and importing them into the company of named people as the operator does."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.db import connections
from django.utils import translation

from hufu.cli.commands import import_
from hufu.core.imports import ErrorFile, Plan, Report
from hufu.core.postgres import roles
from tests.company import Company, company, company_database
from tests.database import TestServer, django_on

__all__ = ["company", "company_database"]

Import = Callable[..., Report]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Messages are compared in the language of the source."""
    with translation.override("en"):
        yield


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a CSV file: its name, then its rows, the first one the header."""

    def write(name: str, *rows: Sequence[str]) -> Path:
        path = tmp_path / name
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    return write


@pytest.fixture
def map_file(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a map."""

    def write(text: str) -> Path:
        path = tmp_path / "map.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def imported(map_file: Callable[[str], Path]) -> Import:
    """Return a function that imports files as a map says and returns the report."""

    def run(
        type_name: str,
        text: str,
        *paths: Path,
        dry_run: bool = False,
        skip_errors: bool = False,
        error_file: Path | None = None,
    ) -> Report:
        read = import_._read_map(type_name, map_file(text))
        plan = Plan(read, [str(path) for path in paths], skip_errors=skip_errors)
        try:
            into = ErrorFile(plan, error_file) if skip_errors else None
            return import_._import(type_name, plan, lambda: None, dry_run=dry_run, error_file=into)
        finally:
            plan.close()

    return run


@pytest.fixture
def as_owner_of_company(postgres: TestServer, company: Company) -> Callable[[], AbstractContextManager[None]]:
    """Return a context manager in which Django works as the owner of the company's tables, whom no policy binds."""
    name = connections.settings["default"]["NAME"]
    return lambda: django_on(postgres.url(roles.OWNER, name))
