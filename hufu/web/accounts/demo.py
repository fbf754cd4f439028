"""The people of the demo company, whom one may be with one click: in demo mode, on this machine alone."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from hufu.web import client

LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}


@dataclass(frozen=True)
class DemoPerson:
    """Somebody one can be, and what they may see."""

    username: str
    name: str
    title: str
    can: str


def offered(request: HttpRequest) -> list[DemoPerson]:
    """Return whom the visitor may be: nobody outside demo mode, or from another machine."""
    if not settings.HUFU_DEMO or not is_local(request):
        return []
    try:
        entries = json.loads((Path(settings.HUFU_VAR) / "demo-people.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    title, can = ("title", "can") if (get_language() or "").startswith("zh") else ("title_en", "can_en")
    return [DemoPerson(entry["username"], entry["name"], entry[title], entry[can]) for entry in entries]


def is_local(request: HttpRequest) -> bool:
    """Say whether the request comes straight from a browser on this machine, through no proxy."""
    if client.is_forwarded(request):
        return False
    name = request.META.get("HTTP_HOST", "").lower()
    host = name if name.endswith("]") else name.rpartition(":")[0] or name
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return host in LOCAL_NAMES and address.is_loopback
