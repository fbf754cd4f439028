"""Build the package that people install: dist/hufu_crm-VERSION-py3-none-any.whl.

It carries what was built (assets, translations), so assets and translations come first: `make wheel` sees to that.
Nothing that is left of an earlier build can get in: the package is made from a fresh copy of its sources. What ends
up in it is compared with what belongs into it, and a difference is an error.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
PACKAGE = "hufu"
MADE_INTO_ASSETS = Path("hufu/web/assets")
# All that a build reads.
SOURCES = (
    PACKAGE,
    "pyproject.toml",
    "setup.py",
    "README.md",
    "LICENSE",
    "requirements/runtime.in",
    "tools/build_assets.py",
    "package-lock.json",
)


def main() -> int:
    """Build, compare, and say where the package is."""
    with tempfile.TemporaryDirectory() as folder:
        made = build(ROOT, Path(folder))
        found = differences(ROOT, made)
        if found:
            print("The package does not hold what it should:\n" + "\n".join(found), file=sys.stderr)
            return 1
        DIST.mkdir(exist_ok=True)
        target = DIST / made.name
        shutil.move(made, target)
    print(f"Built {target.relative_to(ROOT)} ({target.stat().st_size // 1024} kB).")
    return 0


def build(root: Path, into: Path) -> Path:
    """Build the package of the tree at `root` without any network; stop with the reason where it cannot be built."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        for name in SOURCES:
            source, target = root / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        options = ("-qq", "--no-index", "--no-deps", "--no-build-isolation", "--no-cache-dir")
        command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(into), str(copy)]
        result = subprocess.run(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    if result.returncode:
        sys.exit(result.stdout)
    [made] = into.glob("*.whl")
    return made


def differences(root: Path, package: Path) -> list[str]:
    """Return what is missing in the package, and what does not belong there, one a line."""
    with zipfile.ZipFile(package) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = set(contents(root))
    return [f"missing: {name}" for name in sorted(wanted - held)] + [
        f"does not belong: {name}" for name in sorted(held - wanted)
    ]


def contents(root: Path) -> list[str]:
    """Return the names of the files that belong into the package: all of it but what the built files are made from."""
    names = []
    for path in sorted((root / PACKAGE).rglob("*")):
        place = path.relative_to(root)
        made_from = path.suffix == ".po" or place.is_relative_to(MADE_INTO_ASSETS)
        hidden = any(part.startswith((".", "__pycache__")) for part in place.parts)
        if path.is_file() and not made_from and not hidden:
            names.append(place.as_posix())
    return names


if __name__ == "__main__":
    sys.exit(main())
