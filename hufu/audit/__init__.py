"""The log: every access and every change is an event whose bytes are final.

    record(actor, "customer.transferred", target=Target("customer", 12, 3), data={…}, reason="…")

An event is written in the deed's own transaction: without its event no deed. `queries` reads the log.
"""

from hufu.audit.differences import changes
from hufu.audit.events import (
    CHANGES,
    EventType,
    Field,
    declare,
    declare_pool_events,
    declare_record_events,
    kept,
    sealed,
    shown,
)
from hufu.audit.keys import Subject
from hufu.audit.recording import Event, Target, record, record_many

__all__ = [
    "CHANGES",
    "Event",
    "EventType",
    "Field",
    "Subject",
    "Target",
    "changes",
    "declare",
    "declare_pool_events",
    "declare_record_events",
    "kept",
    "record",
    "record_many",
    "sealed",
    "shown",
]
