"""One transaction per request, with the actor's identity in the database for just that long."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, transaction

from hufu.core import clock
from hufu.core.actor import Actor, Ceiling
from hufu.core.database_refusals import refuses
from hufu.core.errors import HufuError, Refusal


@dataclass(frozen=True)
class Gates:
    """What is closed to the actor in this transaction: gates by number, and the refusal of whoever cannot act at all.

    `details` is for the layer that evaluates gates.
    """

    closed: tuple[int, ...] = ()
    refusal: Refusal | None = None
    details: Any = None


@dataclass
class Unit:
    """What belongs to one transaction: its actor, and what was derived for that actor."""

    actor: Actor
    gates: Gates
    place: Mapping[str, Any] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict)
    lasting: list[Callable[[], None]] = field(default_factory=list)


_UNDONE = "core.undone"
_ON_BEHALF = "core.on_behalf"
_unit: ContextVar[Unit | None] = ContextVar("hufu_unit", default=None)
_evaluate_gates: list[Callable[[Actor], Gates]] = []
_answer_refusal: list[Callable[[Actor, Exception], Refusal | None]] = []
_record_refusal: list[Callable[[Actor, Refusal], None]] = []
_lose_refusal: list[Callable[[Actor, Refusal, Exception], None]] = []


def on_entering(evaluate: Callable[[Actor], Gates]) -> None:
    """Name what evaluates the gates of whoever acts. The layer that knows gates calls this once."""
    _evaluate_gates[:] = [evaluate]


def on_database_refusal(answer: Callable[[Actor, Exception], Refusal | None]) -> None:
    """Name what says in our words what the database refused. The layer that knows rights calls this once."""
    _answer_refusal[:] = [answer]


def on_refusal(
    record: Callable[[Actor, Refusal], None], lost: Callable[[Actor, Refusal, Exception], None]
) -> None:
    """Name what writes a refusal's event, and what keeps it elsewhere when it could not be committed.

    The layer that knows the log calls this once.
    """
    _record_refusal[:] = [record]
    _lose_refusal[:] = [lost]


def current_unit() -> Unit:
    """Return the running unit; raise RuntimeError outside `acting`: business data needs an actor."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("No actor: business data is only read and changed inside acting(actor).")
    return unit


def unit_cache() -> dict[Any, Any]:
    """Return what is kept until the transaction of the running unit ends; outside of one nothing is kept."""
    unit = _unit.get()
    return {} if unit is None else unit.cache


def at_last(deed: Callable[[], None]) -> None:
    """Do this at the end of the transaction, also where an error that is answered undoes everything else.

    For what counts because it was found out. Where it is refused in the end, that is the answer, and nothing stays.
    """
    current_unit().lasting.append(deed)


def note_on_behalf(kind: str, number: int, whom: int | None) -> None:
    """Say for whom the actor does what they do with a thing, in this transaction; None: for themselves."""
    current_unit().cache.setdefault(_ON_BEHALF, {})[kind, number] = whom


def on_behalf_of(kind: str, number: int) -> int | None:
    """Return for whom the actor does what they do with a thing; None: for themselves."""
    whom: int | None = unit_cache().get(_ON_BEHALF, {}).get((kind, number))
    return whom


def current_actor() -> Actor | None:
    """Return who acts in this transaction, or None."""
    unit = _unit.get()
    return unit.actor if unit else None


def record_refusal(actor: Actor, refusal: Refusal) -> None:
    """Write the event of a refusal whose own changes are already rolled back."""
    for record in _record_refusal:
        record(actor, refusal)


@contextmanager
def acting(actor: Actor, *, place: Mapping[str, Any] | None = None) -> Iterator[Unit]:
    """Run the body as `actor`, in one transaction that is committed at the end.

    A Refusal that leaves the body rolls back all that the body did, writes the event of the refusal, with `place` in
    its data, commits that event and is raised again. So does an error by which the database refuses what was allowed
    before: the refusal that answers it is raised in its place. Every other exception rolls everything back; of one
    that is answered what was found out stays (`at_last`).
    """
    if _unit.get() is not None:
        raise RuntimeError("A transaction has one actor: acting() does not nest.")
    answered: HufuError | None = None
    token = None
    try:
        with transaction.atomic():
            unit = Unit(actor, enter(actor), place or {})
            token = _unit.set(unit)
            try:
                with transaction.atomic():
                    yield unit
                    _do_at_last(unit)
            except (HufuError, DatabaseError) as raised:
                answered = _done_at_last(unit, _answer(unit, raised))
                if isinstance(answered, Refusal):
                    _say_where(unit, answered)
                    record_refusal(actor, answered)
                elif not unit.lasting:
                    raise
    except Exception as error:
        if isinstance(answered, Refusal):
            for lost in _lose_refusal:
                lost(actor, answered, error)
        raise
    finally:
        if token is not None:
            _unit.reset(token)
    if answered is not None:
        raise answered


def _answer(unit: Unit, raised: HufuError | DatabaseError) -> HufuError:
    """Return what answers an error whose changes are undone; raise one of the database that is no refusal."""
    if isinstance(raised, HufuError):
        return raised
    if refuses(raised):
        for answer in _answer_refusal:
            if refusal := answer(unit.actor, raised):
                return refusal
    raise raised


def _say_where(unit: Unit, refusal: Refusal) -> None:
    """Have the event of a refusal name the page."""
    if refusal.event is not None and unit.place:
        refusal.event = {**refusal.event, "data": {**refusal.event.get("data", {}), **unit.place}}


def _do_at_last(unit: Unit) -> None:
    for deed in unit.lasting:
        deed()


def _done_at_last(unit: Unit, answer: HufuError) -> HufuError:
    """Do what lasts although the rest was undone, and return the answer: the refusal of that, where there is one."""
    try:
        with transaction.atomic():
            _do_at_last(unit)
    except Refusal as refusal:
        return refusal
    return answer


@contextmanager
def undone() -> Iterator[None]:
    """Run the body and undo all of it: what it changed, what it recorded, and as whom it looked."""
    unit = current_unit()
    kept = dict(unit.cache)
    with transaction.atomic():
        unit.cache[_UNDONE] = True
        try:
            yield
        finally:
            unit.cache.clear()
            unit.cache.update(kept)
            transaction.set_rollback(True)


@contextmanager
def in_place_of(actor: Actor) -> Iterator[None]:
    """Look as somebody else, with all gates open, at what stands here; only inside `undone`.

    For previews and tests of a policy. Whoever asks gets numbers from it, and sees no record by it.
    """
    unit = current_unit()
    if not unit.cache.get(_UNDONE):
        raise RuntimeError("Only what is undone is looked at in the place of somebody else.")
    _enter(actor.user_id, ())
    token = _unit.set(Unit(actor, Gates(), cache={_UNDONE: True}))
    try:
        yield
    finally:
        _unit.reset(token)
    _enter(unit.actor.user_id, unit.gates.closed)


def _enter(user_id: int, closed: tuple[int, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.enter(%s, %s)", [user_id, list(closed)])


def enter(actor: Actor) -> Gates:
    """Set the database identity until the end of the transaction, behind the gates that are closed; return these.

    Nobody (0) sets none, and neither does whoever is not active or is refused by a gate.
    """
    if clock.simulated_moment():
        clock.tell_database()
    if not actor.user_id:
        return Gates()
    [evaluate] = _evaluate_gates
    gates = evaluate(actor)
    if gates.refusal is not None and actor.ceiling is not None:
        # The database knows no address: what its ceiling keeps out takes no identity at all.
        return gates
    _enter(actor.user_id, gates.closed)
    if actor.ceiling is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.hold_under(%s, %s)", _sides(actor.ceiling))
    return gates


def _sides(ceiling: Ceiling) -> list[Any]:
    """Return what of a ceiling the database holds: permissions and partitions."""
    return [
        None if ceiling.permissions is None else sorted(ceiling.permissions),
        None if ceiling.partitions is None else sorted(ceiling.partitions),
    ]
