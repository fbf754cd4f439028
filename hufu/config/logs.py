"""Where the messages of the program go: standard error, one line each."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import structlog

TEXT, JSON = "text", "json"
LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR")
_RENDERERS = {
    JSON: structlog.processors.JSONRenderer(ensure_ascii=False),
    TEXT: structlog.dev.ConsoleRenderer(colors=False),
}
_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


class WithoutPaths(logging.Filter):
    """Takes out of the framework's lines about requests what strangers wrote: path, host, referrer, origin.

    A path names records, and that of a link to choose a password is its secret.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every line; one about a request says the kind of refusal or failure, and the name of the route."""
        is_refusal = record.name.startswith("django.security")
        if not is_refusal and record.name != "django.request":
            return True
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        route = (match.url_name or "unnamed") if match is not None else "none"
        status = getattr(record, "status_code", 0)
        what = HTTPStatus(status).phrase if status in set(HTTPStatus) else "request"
        if is_refusal:
            what = f"refused ({record.name.rpartition('.')[2]})"
            record.exc_info = record.exc_text = None
        record.msg, record.args = "%s, route %s", (what, route)
        return True


def logging_of(form: str, level: str) -> dict[str, Any]:
    """Set structlog up and return what `LOGGING` is. The log of deeds is a table and has nothing to do with it.

    Within a request every line has its number; the line of the request itself is `hufu.requests`.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": _RENDERERS[form],
                "foreign_pre_chain": _PROCESSORS,
            }
        },
        "filters": {"without_paths": {"()": WithoutPaths}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_paths"]}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # Its line of a page that was refused or absent has the path, which names records.
            "django.request": {"level": "ERROR"},
        },
    }
