"""Pages over HTTP, as browsers ask for them: the real site in processes of its own, people who sign in by the door of
the demo and click at their pace, and one person of each kind after another.

Documents alone are measured, to their last byte; what browsers keep (scripts, styles, icons) is not asked for. The
clicking itself runs on the same machine.
"""

from __future__ import annotations

import gzip
import html
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from django.urls import reverse

from hufu.cli import environment
from hufu.cli.bench.people import people
from hufu.cli.bench.timing import Times, ratio
from hufu.cli.commands.demo import HOST, PEOPLE_FILE
from hufu.cli.environment import Database
from hufu.cli.site import require_assets, site
from hufu.core.actor import Actor
from hufu.core.errors import Unavailable
from hufu.core.transaction import acting
from hufu.people.models import User

AT_ONCE, FIRST, DEEP = "at_once", "first", "deep"
LIST, RECORD, SEARCH, NEXT, EVERY = "list", "record", "search", "next page", "all"
# What somebody clicks on, over and over.
WALK = (LIST, RECORD, LIST, NEXT, SEARCH, RECORD)
PAGES_BEFORE_DEEP = 20
LONGEST_ANSWER = 60
# The limits of requests a minute stay, and are counted; everybody here has one address.
LIMITS = {f"HUFU_LIMIT_{kind}": "100000" for kind in ("SEARCH", "LISTS", "FILES", "SENSITIVE")}
OF_RECORD = re.compile(r'href="(/customers/\d+/)"')
OF_NEXT = re.compile(r'rel="next" href="([^"]+)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
NAME = re.compile(r'href="/customers/\d+/"[^>]*>\s*([^<\s][^<]{3,})<')


@dataclass(frozen=True)
class Crowd:
    """So many people who click for so many seconds, each `pace` seconds after the last answer; `workers` serve."""

    people: int = 50
    seconds: int = 60
    pace: float = 5.0
    workers: int = 2


@dataclass(frozen=True)
class Clicked:
    """How long the answers to clicks on one page took, and how many of them were errors."""

    page: str
    errors: int
    times: dict[str, Times]

    @property
    def title(self) -> str:
        return f"{self.page} · {len(self.times[AT_ONCE].each):,} clicks · {self.errors} errors"

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs."""
        taken = self.times[AT_ONCE]
        return {"page": self.page, "errors": self.errors, **taken.as_dict(), "p99": taken.p99}


@dataclass(frozen=True)
class Looked:
    """How long the list took for one person who is alone on the site: the first page and a deep one.

    `most` are the times of whoever views everything: the nearest to a page without authorization that a site answers.
    """

    who: str
    errors: int
    times: dict[str, Times]
    most: dict[str, Times]

    @property
    def title(self) -> str:
        return f"{self.who}, alone · {self.errors} errors"

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs."""
        return {
            "who": self.who,
            "errors": self.errors,
            **{page: times.as_dict() for page, times in self.times.items()},
            **{f"{page}_ratio": ratio(times, self.most[page]) for page, times in self.times.items()},
        }


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many milliseconds; without a status nothing did."""

    status: int
    text: str
    milliseconds: float


@dataclass
class Samples:
    """Milliseconds of each answer by page, and how many were errors."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)

    def add(self, page: str, answer: Answer) -> None:
        for name in (page, EVERY):
            self.taken.setdefault(name, []).append(answer.milliseconds)
            self.errors[name] = self.errors.get(name, 0) + (answer.status != 200)

    def times(self, page: str) -> Times:
        return Times(tuple(self.taken.get(page, ())), LONGEST_ANSWER * 1000.0)


class Browser:
    """A browser of one person: a connection that is kept, and cookies."""

    def __init__(self, port: int, username: str) -> None:
        self.username = username
        self._at = f"localhost:{port}"
        self._connection = HTTPConnection(HOST, port, timeout=LONGEST_ANSWER)
        self._cookies: dict[str, str] = {}
        self._turn = 0
        self._seen = ""

    def sign_in(self) -> None:
        """Come in by the door of the demo; raise Unavailable where it stays shut."""
        token = TOKEN.search(self.get(reverse("account_login")).text)
        answer = self._ask(
            "POST",
            reverse("demo_sign_in"),
            urlencode({"csrfmiddlewaretoken": token[1] if token else "", "username": self.username}),
        )
        if answer.status != 302:
            raise Unavailable(f"{self.username} could not sign in: the site answered {answer.status}.")

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._ask("GET", path)

    def click(self) -> tuple[str, Answer]:
        """Click on what comes next, and return which page that is; what is not there is the list instead."""
        page = WALK[self._turn % len(WALK)]
        self._turn += 1
        found = self._link(page)
        answer = self.get(found or reverse("customer_list"))
        if page != RECORD or not found:
            self._seen = answer.text
        return page if found else LIST, answer

    def _link(self, page: str) -> str | None:
        if page == RECORD:
            links = OF_RECORD.findall(self._seen)
            return links[self._turn * 7 % len(links)] if links else None
        if page == NEXT:
            return next_page(self._seen)
        if page == SEARCH:
            name = NAME.search(self._seen)
            return f"{reverse('customer_list')}?{urlencode({'q': name[1][:4]})}" if name else None
        return reverse("customer_list")

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        """Send a request; as browsers do, once more where the site had closed the connection that was kept."""
        kept = self._connection.sock is not None
        answer = self._send(method, path, body)
        return self._send(method, path, body) if kept and not answer.status else answer

    def _send(self, method: str, path: str, body: str | None) -> Answer:
        headers = {
            "Host": self._at,
            "Accept-Encoding": "gzip",
            "Accept-Language": "zh-CN",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.perf_counter()
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (HTTPException, OSError):
            self._connection.close()
            return Answer(0, "", (time.perf_counter() - started) * 1000)
        taken = (time.perf_counter() - started) * 1000
        for header in response.headers.get_all("Set-Cookie", ()):
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(header).items()}
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Answer(response.status, content.decode(errors="replace"), taken)

    def close(self) -> None:
        self._connection.close()


def next_page(text: str) -> str | None:
    """Return the address of the page after this one of the list, if there is one."""
    found = OF_NEXT.search(text)
    return f"{reverse('customer_list')}{html.unescape(found[1])}" if found else None


def measure(
    database: Database, crowd: Crowd, owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]
) -> Iterator[Clicked | Looked]:
    """Yield the clicks of many people at once, page by page, and then the list of one person of each kind alone."""
    require_assets()
    kinds = {archetype.title: _username(actor) for archetype, actor in people()}
    crowded = _crowd(crowd.people)
    _offer([*kinds.values(), *crowded])
    with (
        patch.dict(os.environ, LIMITS),
        site(database, host=HOST, port=_free_port(), workers=crowd.workers, demo=True) as running,
    ):
        port = int(running.url.rpartition(":")[2])
        tell(f"  {crowd.people} people sign in and look at their list once")
        browsers = _signed_in(port, crowded)
        tell(f"  they click for {crowd.seconds} seconds, {crowd.pace:g} seconds apart")
        samples = _at_once(browsers, crowd)
        for page in (*dict.fromkeys(WALK), EVERY):
            yield Clicked(page, samples.errors.get(page, 0), {AT_ONCE: samples.times(page)})
        tell("  a person of each kind looks at the list, alone on the site")
        yield from _alone(port, kinds, min(rounds, 10))


def _username(actor: Actor) -> str:
    return User.objects.values_list("username", flat=True).get(pk=actor.user_id)


def _crowd(amount: int) -> list[str]:
    """Return people from the whole company, evenly: of each kind as many as there are."""
    with acting(Actor.operator()):
        everybody = list(User.objects.filter(pk__gt=0).order_by("pk").values_list("username", flat=True))
    return [everybody[place * len(everybody) // amount] for place in range(min(amount, len(everybody)))]


def _offer(usernames: Sequence[str]) -> None:
    """Write down whom one may be, where the site's door of the demo looks."""
    words = ("name", "title", "title_en", "can", "can_en")
    entries = [{"username": name, **dict.fromkeys(words, name)} for name in dict.fromkeys(usernames)]
    (environment.var() / PEOPLE_FILE).write_text(json.dumps(entries), encoding="utf-8")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _signed_in(port: int, usernames: Sequence[str]) -> list[Browser]:
    browsers = [Browser(port, username) for username in usernames]
    for browser in browsers:
        browser.sign_in()
        browser.click()
    return browsers


def _at_once(browsers: Sequence[Browser], crowd: Crowd) -> Samples:
    """Have everybody click at their pace, none at the same moment as another, until the time is over."""
    samples, lock = Samples(), threading.Lock()
    begin = time.monotonic() + 0.5
    end = begin + crowd.seconds

    def walk(browser: Browser, at: float) -> None:
        while at < end:
            time.sleep(max(0.0, at - time.monotonic()))
            page, answer = browser.click()
            with lock:
                samples.add(page, answer)
            at = time.monotonic() + crowd.pace
        browser.close()

    threads = [
        threading.Thread(target=walk, args=(browser, begin + place * crowd.pace / len(browsers)))
        for place, browser in enumerate(browsers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return samples


def _alone(port: int, kinds: Mapping[str, str], rounds: int) -> Iterator[Looked]:
    """Yield the first and a deep page of the list for each kind, in turns, so that all meet the same machine."""
    first = reverse("customer_list")
    browsers = {kind: Browser(port, username) for kind, username in kinds.items()}
    found = {kind: Samples() for kind in kinds}
    deep: dict[str, str] = {}
    for kind, browser in browsers.items():
        browser.sign_in()
        deep[kind] = first
        for _page in range(PAGES_BEFORE_DEEP):
            deep[kind] = next_page(browser.get(deep[kind]).text) or deep[kind]
    for _turn in range(rounds):
        for kind, browser in browsers.items():
            found[kind].add(FIRST, browser.get(first))
            found[kind].add(DEEP, browser.get(deep[kind]))
    for browser in browsers.values():
        browser.close()
    times = {kind: {page: samples.times(page) for page in (FIRST, DEEP)} for kind, samples in found.items()}
    most = times[next(iter(kinds))]
    for kind, samples in found.items():
        yield Looked(kind, samples.errors[EVERY], times[kind], most)
