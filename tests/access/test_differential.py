"""List ⇔ point check ⇔ count ⇔ row policy ⇔ database check ⇔ explanation ⇔ reference, for generated companies.

Forty companies in every run, always the same ones; `make prove` tries five hundred new ones. Of the rules that are
broken on purpose some are tried in every run, and all of them by `make mutate`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from django.db.models import Q
from hypothesis import Phase
from hypothesis import strategies as st

from hufu.access import guard, reach, registry, rule_reach
from hufu.access.decision import conditions, decide, field_access, snapshot, terms
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.states import State
from hufu.core import clock
from hufu.core.transaction import Gates
from tests.access import generated
from tests.access.crossings import let_across
from tests.access.doors import VERBS, Difference, compare
from tests.access.organisations import (
    attempts,
    behind_glass,
    gated,
    lent,
    organisations,
    with_field_rules,
    with_limits,
    with_more_allowed,
    with_pools,
)
from tests.access.record_states import stated
from tests.access.world import FOLLOWING, World, store

ATTEMPTS = 12
# From how many organisations on a run must have seen all verbs allowed and denied.
ENOUGH = 10


def chosen(breaks: Sequence[Any]) -> Sequence[Any]:
    """Return every fifth break; all of them with HUFU_BREAKS=all, which tools/mutate.py sets."""
    return breaks if os.environ.get("HUFU_BREAKS") == "all" else breaks[4::5]


def compare_many(
    owner: psycopg.Connection, *phases: Phase, numbers: Sequence[int] = range(generated.COUNT)
) -> tuple[int, Counter[tuple[bool, str]]]:
    """Generate organisations and compare all doors; return how many, and the decisions seen."""
    seen: Counter[tuple[bool, str]] = Counter()
    worlds = 0

    def draw(data: st.DataObject) -> tuple[World, datetime, int]:
        # Its own: what ends in a quarter of an hour ended long ago in the last company of a long run.
        now = clock.now()
        world = data.draw(gated(data.draw(organisations(now))))
        seed = data.draw(st.integers(0, 2**32))
        world = with_more_allowed(lent(world, now, seed), seed)
        world = with_pools(stated(with_field_rules(world, seed), seed), seed)
        return with_limits(let_across(behind_glass(world, now, seed), now, seed), seed), now, seed

    def look(drawn: tuple[World, datetime, int]) -> None:
        nonlocal worlds
        world, now, seed = drawn
        store(owner, world)
        seen.update(compare(owner, world, attempts(world, now, seed, ATTEMPTS), now))
        worlds += 1

    generated.each(numbers, draw, look, *phases)
    return worlds, seen


@pytest.mark.parametrize("part", generated.PARTS)
def test_every_door_answers_like_the_reference(committed, owner_connection, part):
    worlds, seen = compare_many(owner_connection, Phase.generate, Phase.shrink, numbers=generated.part(part))
    allowed = sum(number for (yes, _verb), number in seen.items() if yes)
    print(f"\n{worlds} organisations, {seen.total()} decisions, {allowed} of them allowed: no difference")
    if worlds < ENOUGH:
        return
    # A comparison of denials alone would prove nothing.
    assert allowed > seen.total() // 20
    for verb in (*VERBS, "create"):
        # Few companies have a customer in a pool that somebody may claim.
        least = worlds // 10 if verb == "claim" else worlds // 2 + 1
        assert seen[True, verb] >= least, f"hardly anything was allowed for {verb}"
        assert seen[False, verb] > worlds // 2, f"hardly anything was denied for {verb}"


def _list_without_wall() -> AbstractContextManager[object]:
    honest = reach._covered_by

    def broken(actor, term, resource, need):
        every = dict.fromkeys(term.partitions, term.partitions[reach.Right.READ])
        return honest(actor, reach.Term(**{**vars(term), "partitions": every}), resource, need)

    return patch.object(reach, "_covered_by", broken)


def _point_check_without_view() -> AbstractContextManager[object]:
    honest = registry.requirement
    return patch.object(
        registry, "requirement", lambda name: replace(honest(name), needs=honest(name).needs[-1:])
    )


def _point_check_that_lets_readers_edit() -> AbstractContextManager[object]:
    return patch.object(terms, "opens", lambda scopes, need, share: share and need.share)


def _explanation_with_the_own_level_alone() -> AbstractContextManager[object]:
    return patch.object(Snapshot, "levels_held", lambda self, level: frozenset({level}))


def _explanation_without_posts() -> AbstractContextManager[object]:
    return patch.object(Snapshot, "places", lambda self, given, person: self.departments_of(person))


def _list_behind_closed_gates() -> AbstractContextManager[object]:
    honest = reach._load

    def broken(actor):
        with patch.object(reach.current_unit(), "gates", Gates()):
            return honest(actor)

    return patch.object(reach, "_load", broken)


def _explanation_past_closed_roles() -> AbstractContextManager[object]:
    honest = snapshot.grants_through
    return patch.object(
        snapshot,
        "grants_through",
        lambda held, given, permission, closed=None: honest(held, given, permission),
    )


def _list_past_quotas() -> AbstractContextManager[object]:
    return patch.object(reach.Quota, "objects", reach.Quota.objects.none())


def _explanation_of_everybodys_quotas() -> AbstractContextManager[object]:
    return patch.object(Snapshot, "quotas_on", lambda self, permission, person: self.quotas)


def _rules_that_take_the_unknown_for_no() -> AbstractContextManager[object]:
    honest = rule_reach.field_holds
    return patch.object(rule_reach, "field_holds", lambda *asked: bool(honest(*asked)))


def _rules_without_owners() -> AbstractContextManager[object]:
    honest = rule_reach.conditions
    return patch.object(
        rule_reach,
        "conditions",
        lambda parts, share, of: honest([replace(part, owners=None) for part in parts], share, of),
    )


def _explanation_of_rules_without_negation() -> AbstractContextManager[object]:
    return patch.object(conditions, "_not", lambda value: value)


def _explanation_without_prohibitions() -> AbstractContextManager[object]:
    return patch.object(Snapshot, "prohibitions_on", lambda self, permission, person: ())


def _list_past_the_ceilings_partitions() -> AbstractContextManager[object]:
    return patch.object(reach, "_within", lambda _ceiling, bits: reach.numbers(bits))


def _list_by_the_halves_of_two_people() -> AbstractContextManager[object]:
    return patch.object(reach, "by_holder", lambda every: {0: list(every)})


def _explanation_of_more_than_is_lent() -> AbstractContextManager[object]:
    return patch.object(decide, "lent_part", lambda snapshot, permissions: replace(snapshot, delegations=()))


def _explanation_of_glass_that_outlives_its_role() -> AbstractContextManager[object]:
    def broken(held, person):
        for use in held.glass_uses:
            if use.user_id == person.id and use.in_force(held.at) and use.rule_id in held.glass_rules:
                yield use, held.glass_rules[use.rule_id]

    return patch.object(decide, "opened", broken)


def _fields_without_the_team() -> AbstractContextManager[object]:
    return patch.object(guard, "is_mine", lambda actor, resource, record: _owner(record) == actor.user_id)


def _owner(record):
    parent = FOLLOWING.get(record._meta.model_name)
    return (getattr(record, parent) if parent else record).owner_id


def _fields_past_closed_roles() -> AbstractContextManager[object]:
    return patch.object(reach, "shut_terms", lambda actor: frozenset())


def _explanation_by_rules_of_roles_that_view_nothing() -> AbstractContextManager[object]:
    return patch.object(field_access, "views", lambda held, role, type_name: True)


def _point_check_whatever_the_state() -> AbstractContextManager[object]:
    return patch.object(terms, "shutting", lambda need, record: ())


def _list_whatever_the_state_of_the_parent() -> AbstractContextManager[object]:
    honest = reach.states.is_open
    return patch.object(
        reach.states, "is_open", lambda closed_in, of="": Q() if of else honest(closed_in, of)
    )


def _explanation_that_takes_a_void_record_for_an_open_one() -> AbstractContextManager[object]:
    honest = decide.shutting

    def broken(need, record):
        return tuple(each for each in honest(need, record) if each.state is not State.VOID)

    return patch.object(decide, "shutting", broken)


def _list_without_pools() -> AbstractContextManager[object]:
    return patch.object(reach, "pools", lambda actor, resource: frozenset())


def _explanation_of_what_the_pool_hides() -> AbstractContextManager[object]:
    return patch.object(field_access, "hiding", lambda held, record, type_name, field: None)


def _explanation_without_tasks() -> AbstractContextManager[object]:
    honest = Snapshot.is_recipient
    return patch.object(
        Snapshot,
        "is_recipient",
        lambda self, share, person: not share.task and honest(self, share, person),
    )


def _list_of_everything_shared_across_the_wall() -> AbstractContextManager[object]:
    return patch.object(reach, "crossings", reach.shares)


def _explanation_that_knows_no_way_through_the_wall() -> AbstractContextManager[object]:
    honest = Snapshot.share_for
    return patch.object(
        Snapshot,
        "share_for",
        lambda self, person, need, record, across=False: (
            None if across else honest(self, person, need, record)
        ),
    )


def _point_check_that_lets_crossings_delete_what_follows() -> AbstractContextManager[object]:
    return patch.object(terms, "is_let_across", terms.is_shared)


BREAKS_OF_HALF_ONE = (
    _list_past_the_ceilings_partitions,
    _explanation_without_prohibitions,
    _list_by_the_halves_of_two_people,
    _explanation_of_more_than_is_lent,
    _fields_without_the_team,
    _fields_past_closed_roles,
    _explanation_by_rules_of_roles_that_view_nothing,
    _list_past_quotas,
    _explanation_of_everybodys_quotas,
    _point_check_without_view,
    _list_without_wall,
    _point_check_that_lets_readers_edit,
    _explanation_with_the_own_level_alone,
    _explanation_without_posts,
    _list_behind_closed_gates,
    _explanation_past_closed_roles,
    _rules_that_take_the_unknown_for_no,
    _rules_without_owners,
    _explanation_of_rules_without_negation,
    _point_check_whatever_the_state,
    _list_whatever_the_state_of_the_parent,
    _explanation_that_takes_a_void_record_for_an_open_one,
    _list_without_pools,
    _explanation_of_what_the_pool_hides,
    _explanation_without_tasks,
    _explanation_of_glass_that_outlives_its_role,
    _list_of_everything_shared_across_the_wall,
    _explanation_that_knows_no_way_through_the_wall,
    _point_check_that_lets_crossings_delete_what_follows,
)


@pytest.mark.parametrize("break_it", chosen(BREAKS_OF_HALF_ONE))
def test_a_broken_half_one_is_noticed(
    committed, owner_connection, break_it: Callable[[], AbstractContextManager[object]]
):
    with break_it(), pytest.raises(Difference):
        compare_many(owner_connection, Phase.generate)


# The row policy knows of no state: whatever is covered is changed.
_CHANGES_WHATEVER_THE_STATE = """DO $$ BEGIN
    EXECUTE (SELECT format('ALTER POLICY change ON crm_customer USING (%s) WITH CHECK (true)',
                           regexp_replace(qual, '(voided_at|locked_at) IS NULL', 'true', 'g'))
             FROM pg_policies WHERE tablename = 'crm_customer' AND policyname = 'change');
END $$"""


# The row policies and lists know of no task.
_SHARES_WITHOUT_TASKS = """DO $$ BEGIN
    EXECUTE regexp_replace(pg_get_functiondef('hufu.my_shares(text)'::regprocedure),
                           't.user_id = hufu.actor\\(\\)', 'false');
END $$"""


def _changed(function: str, said: str, instead: str) -> str:
    """Return the SQL that takes a part of a function for another."""
    return f"""DO $$ DECLARE whole text := pg_get_functiondef('hufu.{function}'::regproc);
    BEGIN
        ASSERT strpos(whole, $said${said}$said$) > 0;
        EXECUTE replace(whole, $said${said}$said$, $said${instead}$said$);
    END $$"""


BREAKS_OF_HALF_TWO = (
    "CREATE OR REPLACE VIEW hufu.viewing_roles AS SELECT r.id AS role_id, t.type"
    " FROM public.access_role r, (VALUES ('customer' COLLATE \"C\"),"
    " ('opportunity'), ('contact')) AS t (type)",
    "CREATE OR REPLACE FUNCTION hufu.field_level(access text) RETURNS smallint LANGUAGE sql IMMUTABLE AS"
    " $$ SELECT CASE access WHEN 'masked' THEN 0::smallint ELSE 3::smallint END $$",
    "ALTER POLICY view ON crm_customer USING (deleted_at IS NULL)",
    "ALTER POLICY bin ON crm_opportunity USING (deleted_at IS NOT NULL)",
    "ALTER POLICY change ON crm_contact USING (true) WITH CHECK (true)",
    "ALTER POLICY insert ON crm_opportunity WITH CHECK (true)",
    "CREATE OR REPLACE FUNCTION hufu.scope_bit(scope text) RETURNS smallint LANGUAGE sql IMMUTABLE AS"
    " $$ SELECT (CASE scope WHEN 'subordinates' THEN 1 ELSE 65 END)::smallint $$",
    "CREATE OR REPLACE VIEW hufu.departments_below AS"
    " SELECT id AS department_id, id AS below_id FROM public.people_department",
    "CREATE OR REPLACE VIEW hufu.levels_held AS SELECT id AS level_id, id AS held_id FROM public.people_level",
    "CREATE OR REPLACE FUNCTION hufu.permission_is_open(wanted text) RETURNS boolean LANGUAGE sql AS"
    " $$ SELECT true $$",
    "CREATE OR REPLACE FUNCTION hufu.permission_ceiling() RETURNS text[] LANGUAGE sql AS"
    " $$ SELECT NULL::text[] $$",
    "CREATE OR REPLACE FUNCTION hufu.names_permission(forbidden text, permission text) RETURNS boolean"
    " LANGUAGE sql IMMUTABLE AS $$ SELECT false $$",
    "CREATE OR REPLACE FUNCTION hufu.quotas_of(who int)"
    " RETURNS TABLE (id int, key text, name text, counts text, zone text, warn_at int, span text, most bigint)"
    " LANGUAGE sql AS $$ SELECT id, key, name, counts, zone, warn_at, 'day', per_day FROM access_quota $$",
    "CREATE OR REPLACE FUNCTION hufu.united(given int[], more int[]) RETURNS int[] LANGUAGE sql AS"
    " $$ SELECT given $$",
    "CREATE OR REPLACE FUNCTION hufu.person_is_closed(who int, closed int[]) RETURNS boolean LANGUAGE sql AS"
    " $$ SELECT false $$",
    "CREATE OR REPLACE FUNCTION hufu.may_be_delegated(permission text) RETURNS boolean LANGUAGE sql AS"
    " $$ SELECT permission LIKE '%%.edit' $$",
    "CREATE OR REPLACE FUNCTION hufu.gates_on_principal(who int) RETURNS int[] LANGUAGE sql AS"
    " $$ SELECT '{}'::int[] $$",
    "CREATE OR REPLACE VIEW hufu.opened_permissions AS SELECT 'customer.view' COLLATE \"C\" AS permission",
    # What was opened by break-glass once stays open, with the role or without it.
    "CREATE OR REPLACE FUNCTION hufu.glass_in_force(who int[], moment timestamptz)"
    " RETURNS TABLE (use_id bigint, user_id int, role_id int, types text[], partitions int[], access text)"
    " LANGUAGE sql AS $$ SELECT u.id, u.user_id, r.role_id, r.types::text[], r.partitions, r.access::text"
    " FROM access_break_glass_use u JOIN access_break_glass r ON r.id = u.rule_id"
    " WHERE who IS NULL OR u.user_id = ANY (who) $$",
    # No record is looked at again by the rules.
    "DROP TRIGGER match_rules ON crm_customer",
    _CHANGES_WHATEVER_THE_STATE,
    # Everybody is a member of every pool.
    "CREATE OR REPLACE FUNCTION hufu.my_pools(of_type text) RETURNS SETOF int LANGUAGE sql STABLE AS"
    " $$ SELECT id FROM access_pool WHERE type = of_type $$",
    # Who was let across is all the same.
    "CREATE OR REPLACE FUNCTION hufu.my_crossings(of_type text) RETURNS TABLE (record_id bigint, access text)"
    " LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT s.record_id, s.access FROM hufu.shares s WHERE s.type = of_type"
    " AND s.across_by IS NOT NULL $$",
    "ALTER TABLE access_task DISABLE TRIGGER count_tasks",
    _SHARES_WITHOUT_TASKS,
    # Pages of lists: a walk, streams and shares past the wall, and shares that are not kept.
    _changed("list_condition", "hufu.bit($4[%s], r.partition_id)", "true"),
    _changed("list_merge", "hufu.bit(k.partitions, r.partition_id)", "true"),
    _changed("list_shared", "hufu.bit($2[%s], g.partition_id)", "true"),
    "DROP TRIGGER keep_given ON access_share",
    # Numbers of records: nothing is counted but cells and what lies beyond the wall.
    _changed("count_crm_customer", "seen.visible = seen.open", "true"),
)


@pytest.mark.parametrize("broken", chosen(BREAKS_OF_HALF_TWO))
def test_a_broken_half_two_is_noticed(committed, owner_connection, broken):
    owner_connection.execute(broken)
    with pytest.raises(Difference):
        compare_many(owner_connection, Phase.generate)
