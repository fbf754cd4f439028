"""Install the package into an empty environment, run its demo in an empty folder, look at the site as a browser does.

    python tools/check_wheel.py [dist/hufu_crm-VERSION-py3-none-any.whl]

Takes the libraries from the package index. Nothing of the checkout is within reach: neither its modules nor Node.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urljoin

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300
STOP_SECONDS = 60
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Texts that stand on the page only where the translations were packaged.
SIGN_IN = {"zh-hans": "登录虎符 CRM", "en": "Sign in to Hufu CRM"}
LINKED = re.compile(r'(?:href|src)="(/static/[^"#]+)')


def main(arguments: Sequence[str]) -> int:
    """Check one package; stop at the first thing that is not as it should be."""
    package = Path(arguments[0]).resolve() if arguments else newest(ROOT / "dist")
    with tempfile.TemporaryDirectory(prefix="hufu-wheel-") as name:
        folder = Path(name)
        program = install(package, folder / "environment")
        empty = folder / "empty"
        empty.mkdir()
        port = free_port()
        with demo(program, empty, port):
            site = f"http://localhost:{port}"
            check_sign_in_page(site)
            people = json.loads((empty / "var" / "demo-people.json").read_text(encoding="utf-8"))
            for person in people:
                check_person(site, person["username"], person["name"])
            say(f"{len(people)} people of the demo company signed in with one click and saw their first page")
            examined = subprocess.run(
                [program, "doctor"],
                cwd=empty,
                env=environment(program),
                text=True,
                capture_output=True,
                check=False,
            )
            require(
                examined.returncode == 0, f"hufu doctor finds something:\n{examined.stdout}{examined.stderr}"
            )
            say(f"hufu doctor: {examined.stdout.splitlines()[-1]}")
    print("The package works in an empty environment.")
    return 0


def newest(folder: Path) -> Path:
    """Return the package that was built last."""
    found = sorted(folder.glob("hufu_crm-*.whl"), key=lambda path: path.stat().st_mtime)
    if not found:
        sys.exit("There is no package in dist/. Build it first: make wheel")
    return found[-1]


def install(package: Path, folder: Path) -> Path:
    """Make an environment, install the package with its libraries, and return the path of `hufu`."""
    begin = time.monotonic()
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", str(package)],
        cwd=folder,
        env=environment(python),
        check=True,
    )
    say(f"installed {package.name} into an empty environment ({time.monotonic() - begin:.0f} s)")
    return folder / "bin" / "hufu"


def environment(program: Path) -> dict[str, str]:
    """Return the environment of an ordinary terminal: nothing of ours, no Node of the checkout."""
    kept = ("HOME", "TMPDIR", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE")
    path = f"{program.parent}:/usr/bin:/bin"
    return {
        "PATH": path,
        "LANG": "C.UTF-8",
        **{name: os.environ[name] for name in kept if name in os.environ},
    }


@contextmanager
def demo(program: Path, folder: Path, port: int) -> Iterator[None]:
    """Run `hufu demo` for the body, from when the site answers."""
    begin = time.monotonic()
    process = subprocess.Popen(
        [program, "demo", "--port", str(port)],
        cwd=folder,
        env=environment(program),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while time.monotonic() - begin < START_SECONDS:
            if process.poll() is not None:
                assert process.stderr is not None
                sys.exit(f"hufu demo ended with {process.returncode}:\n{process.stderr.read()}")
            try:
                urllib.request.urlopen(f"http://localhost:{port}/accounts/login/", timeout=10).close()
                break
            except OSError:
                time.sleep(0.2)
        else:
            sys.exit(f"hufu demo did not answer within {START_SECONDS} s.")
        say(f"hufu demo answers ({time.monotonic() - begin:.0f} s from an empty folder)")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP_SECONDS)


def check_sign_in_page(site: str) -> None:
    """Check the page in both languages, and everything that it loads."""
    for language, words in SIGN_IN.items():
        _status, page = get(site + "/accounts/login/", language)
        require(words in page, f"the sign-in page does not say “{words}” in {language}")
    # The icons' sprite is used piece by piece, behind a "#".
    linked = sorted({*LINKED.findall(page), *re.findall(r'href="(/static/[^"#]+)#', page)})
    require(
        {"app.css", "app.js", "icons.svg", "favicon.svg"} <= {name.rpartition("/")[2] for name in linked},
        f"the sign-in page loads only {', '.join(linked) or 'nothing'}",
    )
    for name in linked:
        with urllib.request.urlopen(urljoin(site, name), timeout=10) as answer:
            kind, size = answer.headers["Content-Type"], len(answer.read())
        require(kind.startswith(TYPES[Path(name).suffix]) and size > 100, f"{name} is {size} bytes of {kind}")
        say(f"200 {name} ({size} bytes, {kind})")


def check_person(site: str, username: str, name: str) -> None:
    """Sign in as somebody of the demo company by the button of the sign-in page."""
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    page = browser.open(site + "/accounts/login/", timeout=10).read().decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    require(found is not None, "the sign-in page has no form")
    assert found is not None
    form = urlencode({"csrfmiddlewaretoken": found.group(1), "username": username}).encode()
    request = urllib.request.Request(site + "/accounts/demo/", form, {"Referer": site + "/accounts/login/"})
    answer = browser.open(request, timeout=30)
    require(
        answer.status == 200 and answer.geturl() == site + "/" and name in answer.read().decode(),
        f"{username} did not get in: {answer.status} {answer.geturl()}",
    )


def get(url: str, language: str) -> tuple[int, str]:
    """Return the status and the text of a page in a language."""
    request = urllib.request.Request(url, headers={"Accept-Language": language})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require(true: bool, otherwise: str) -> None:
    """Stop with what is wrong."""
    if not true:
        sys.exit(f"FAILED: {otherwise}")


def say(text: str) -> None:
    """Tell what was seen."""
    print(f"ok  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
