"""The number of a request: in the answer, in the messages of the program, in the log, and on the page of a failure."""

from __future__ import annotations

import re
from uuid import uuid4

from django.http import HttpRequest

from hufu.web import client

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
# No header of a request can have this name in META.
_KEPT = "hufu.request_id"


def number_of(request: HttpRequest) -> str:
    """Return the number of a request, one and the same wherever it is asked.

    It is the one that a trusted proxy gave, where that is well-formed, and a fresh one otherwise.
    """
    known = request.META.get(_KEPT)
    if known is None:
        said = request.headers.get(HEADER, "")
        taken_over = WELL_FORMED.fullmatch(said) and client.through_trusted_proxy(request)
        known = request.META[_KEPT] = said if taken_over else uuid4().hex
    return str(known)
