"""What pyproject.toml cannot say: a package without its built assets or its translations is never made.

Everything else about the package stands in pyproject.toml. In a clone, `make wheel` builds both and then the package.
"""

import importlib.util
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
BUILT = ROOT / "hufu" / "web" / "static" / "build"
CATALOGUE = ROOT / "hufu" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.mo"
NEEDED = (*(BUILT / name for name in ("app.css", "app.js", "icons.svg")), CATALOGUE)
BUILDER = ROOT / "tools" / "build_assets.py"


def problems() -> list[str]:
    """Return what is not built, or was built from other sources than those that stand here."""
    found = [f"{path.relative_to(ROOT)} is not there" for path in NEEDED if not path.exists()]
    if found:
        return found
    source = CATALOGUE.with_suffix(".po")
    if source.exists() and source.stat().st_mtime > CATALOGUE.stat().st_mtime:
        found.append(f"{CATALOGUE.relative_to(ROOT)} is older than its source")
    if BUILDER.exists():
        spec = importlib.util.spec_from_file_location("build_assets", BUILDER)
        assert spec is not None
        assert spec.loader is not None
        builder = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(builder)
        stamp = BUILT / ".digest"
        if not stamp.exists() or stamp.read_text() != builder.digest():
            found.append(f"{BUILT.relative_to(ROOT)} was built from other sources")
    return found


class Build(build_py):
    """Collects the package's files; refuses where the site would have no style, no script or no Chinese."""

    def run(self) -> None:
        """Build, unless something is missing; an editable installation builds its assets later."""
        if not self.editable_mode and (found := problems()):
            sys.exit(
                "Not packaged: " + "; ".join(found) + ". In a clone, run `make wheel`: it builds them first."
            )
        super().run()


setup(cmdclass={"build_py": Build})
