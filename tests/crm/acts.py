"""Acting as somebody of the company, and reading what the log says of it."""

from __future__ import annotations

from contextlib import contextmanager

from hufu.access import guard
from hufu.core.transaction import acting
from tests.web.log import entries


@contextmanager
def by(company, name):
    actor = company.actor(name)
    with acting(actor):
        yield actor


def may(company, name, permission, resource, number):
    """Say whether somebody may do something with a record, asked as themselves, in a transaction of its own."""
    with by(company, name) as actor:
        return guard.scope(actor, permission).filter(pk=number).exists()


def last(owner_connection, event_type):
    """Return the newest event of a type."""
    return entries(owner_connection, event_type)[-1]
