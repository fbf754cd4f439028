"""The package that people install: what it holds, what it asks for, and that it is never made with a part missing."""

from __future__ import annotations

import re
import shutil
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from hufu import __version__
from hufu.cli.site import assets_built
from tools import build_wheel

pytestmark = pytest.mark.skipif(not assets_built(), reason="the browser's assets are not built (make setup)")

NEEDED = {
    "hufu/access/sql/reach.sql",
    "hufu/access/sql/rules.sql",
    "hufu/audit/sql/log.sql",
    "hufu/cli/demo/policy.yaml",
    "hufu/cli/main.py",
    "hufu/config/wsgi.py",
    "hufu/core/sql/identity.sql",
    "hufu/core/sql/privileges.sql",
    "hufu/locale/zh_Hans/LC_MESSAGES/django.mo",
    "hufu/people/sql/rules.sql",
    "hufu/web/static/build/app.css",
    "hufu/web/static/build/app.css.br",
    "hufu/web/static/build/app.css.gz",
    "hufu/web/static/build/app.js",
    "hufu/web/static/build/icons.svg",
    "hufu/web/static/favicon.svg",
    "hufu/web/templates/account/login.html",
    "hufu/web/templates/base.html",
    "hufu/web/templates/parts/field.html",
}
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel.build(build_wheel.ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(package: Path) -> set[str]:
    with zipfile.ZipFile(package) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(package: Path, names: set[str]) -> dict[str, list[str]]:
    with zipfile.ZipFile(package) as archive:
        (name,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        parsed = Parser().parsestr(archive.read(name).decode())
    return {key: parsed.get_all(key, []) for key in parsed}


def test_it_holds_assets_translations_sql_policies_and_pages(names):
    assert sorted(NEEDED - names) == []


def test_it_holds_all_of_the_program_and_nothing_else(package):
    assert build_wheel.differences(build_wheel.ROOT, package) == []


def test_no_test_no_tool_and_no_source_of_an_asset_is_in_it(names):
    top = {name.partition("/")[0] for name in names}
    assert top == {"hufu", f"hufu_crm-{__version__}.dist-info"}
    strange = [
        name
        for name in names
        if re.search(r"test|node_modules|__pycache__|web/assets|\.(po|pyc|map|lock)$|/\.", name)
    ]
    assert strange == []


def test_it_asks_for_the_libraries_within_bounds_that_hold_what_is_tested(metadata):
    locked = {
        name.lower(): Version(version)
        for name, version in LOCKED.findall((build_wheel.ROOT / "requirements" / "runtime.txt").read_text())
    }
    asked = [Requirement(text) for text in metadata["Requires-Dist"]]
    assert {requirement.name.lower() for requirement in asked} <= set(locked)
    for requirement in asked:
        operators = {bound.operator for bound in requirement.specifier}
        # Time zones have no releases that break anything.
        assert operators == ({">="} if requirement.name == "tzdata" else {">=", "<"}), requirement
        assert locked[requirement.name.lower()] in requirement.specifier, requirement


def test_it_brings_the_command_and_says_which_python_it_needs(package, metadata):
    assert metadata["Requires-Python"] == [">=3.11"]
    with zipfile.ZipFile(package) as archive:
        points = archive.read(f"hufu_crm-{__version__}.dist-info/entry_points.txt").decode()
    assert "hufu = hufu.cli.main:run_and_exit" in points


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda tree: (tree / "hufu/web/static/build/app.js").unlink(), "app.js is not there"),
        (
            lambda tree: (tree / "hufu/locale/zh_Hans/LC_MESSAGES/django.mo").unlink(),
            "django.mo is not there",
        ),
        (lambda tree: (tree / "package-lock.json").write_text("{}"), "was built from other sources"),
    ],
    ids=["no script", "no Chinese", "old assets"],
)
def test_with_something_missing_or_old_there_is_no_package_and_it_says_why(tmp_path, spoil, told):
    tree = tmp_path / "tree"
    for name in build_wheel.SOURCES:
        source, target = build_wheel.ROOT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy2(source, target)
    spoil(tree)
    with pytest.raises(SystemExit) as stopped:
        build_wheel.build(tree, tmp_path / "out")
    assert told in str(stopped.value)
    assert "make wheel" in str(stopped.value)
    assert not list((tmp_path / "out").glob("*.whl"))
