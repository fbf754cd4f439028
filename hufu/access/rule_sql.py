"""Sharing rules in the database, for each type by one generator from the registry: what compares a record's fields,
what keeps the matches true while records change, and the condition of the row policies."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry
from hufu.access.decision.terms import Share
from hufu.access.registry import Field, ResourceType
from hufu.access.rule_fields import COMPARED, DAY, NUMBER, TEXT, comparable, fields_named
from hufu.access.shared_sql import PLACE, place

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
COMPARE = {TEXT: "text_is", NUMBER: "number_is", DAY: "day_is"}


def is_ruled(resource: ResourceType, row: str, share: Share) -> str:
    """Return the SQL condition that a rule shares `row` with the actor. The rules are read once per statement."""
    editing = "p.access = 'edit' AND " if share is Share.EDIT else ""
    return f"""EXISTS (SELECT 1 FROM hufu.my_rules('{resource.name}') p WHERE {editing}{_by_place(row)}
                   AND (NOT p.by_fields OR EXISTS (SELECT 1 FROM public.access_rule_match m
                                                   WHERE m.part = p.part AND m.record_id = {row}.id)))"""


def is_ruled_by_place(resource: ResourceType, row: str) -> str:
    """Return the SQL condition that a rule that looks at no field lets the actor view `row`."""
    return f"EXISTS (SELECT 1 FROM hufu.my_rules('{resource.name}') p WHERE NOT p.by_fields AND {_by_place(row)})"


def _by_place(row: str) -> str:
    return f"""(p.owners IS NULL OR hufu.bit(p.owners, {row}.owner_id))
                   AND (p.departments IS NULL OR hufu.bit(p.departments, {row}.department_id))"""


def recipients(resource: ResourceType, row: str, share: Share) -> str:
    """Return the SQL query for those to whom rules give `row`."""
    return (
        f"SELECT hufu.rule_recipients('{resource.name}', {row}.id, {row}.owner_id, {row}.department_id,"
        f" {share is Share.EDIT})"
    )


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of what looks at the fields of each independent type."""
    independent = _independent()
    for resource in independent:
        yield f"access.rules.{resource.name}", _type(resource)
    yield "access.rules_of_types", _dispatch(independent)


def _independent() -> list[ResourceType]:
    return [resource for resource in registry.resource_types() if not resource.parent]


def fields() -> str:
    """Return SQL that tells the database which fields rules can compare, and how."""
    rows = ", ".join(
        f"('{resource.name}', '{name}', '{COMPARED[declared.kind]}', {bool(declared.currency)})"
        for resource in _independent()
        for name, declared in comparable(resource).items()
    )
    return f"""
CREATE OR REPLACE VIEW hufu.rule_fields AS
    SELECT * FROM (VALUES {rows}) f (type, field, kind, has_currency);
"""


def _compared(declared: Field) -> str:
    value = f"{COMPARE[COMPARED[declared.kind]]}(r.{declared.column}, atom)"
    if not declared.currency:
        return f"hufu.{value}"
    return (
        f"CASE WHEN atom ? 'empty' THEN hufu.{value}"
        f" ELSE hufu.{value} AND NULLIF(r.{declared.currency}, '') = atom ->> 'currency' END"
    )


def _met(resource: ResourceType, row: str, part: str = "p") -> str:
    """Return the SQL condition that all literals of a part about fields are true for `row`."""
    return f"""NOT EXISTS (
            SELECT 1 FROM jsonb_array_elements({part}.literals) l
            WHERE l -> 'atom' ? 'field'
              AND hufu.atom_of_{resource.table}({row}, l -> 'atom') IS DISTINCT FROM NOT (l -> 'not')::boolean)"""


def _type(resource: ResourceType) -> str:
    table, name = resource.table, resource.name
    branches = "\n        ".join(
        f"WHEN '{field}' THEN {_compared(declared)}" for field, declared in comparable(resource).items()
    )
    columns = [declared.column for declared in fields_named(resource)]
    changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)
    return f"""
-- What an atom says of a record; NULL where the field is empty. Without a search path of its own: it is taken into the
-- query that asks, and nothing of it is left to do for a constant atom but the comparison.
CREATE OR REPLACE FUNCTION hufu.atom_of_{table}(r public.{table}, atom jsonb) RETURNS boolean LANGUAGE sql STABLE
    PARALLEL SAFE AS
$$ SELECT CASE atom ->> 'field'
        {branches} END $$;

-- The condition on `r` that all literals about fields are true, as text with constants.
CREATE OR REPLACE FUNCTION hufu.rule_filter_{table}(literals jsonb) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce(string_agg(
       format('hufu.atom_of_{table}(r, %L) IS %s', l -> 'atom', (NOT (l -> 'not')::boolean)::text), ' AND '), 'true')
   FROM jsonb_array_elements(literals) l WHERE l -> 'atom' ? 'field' $$;

-- A change of fields takes a record out of the parts that it no longer meets, and into those that it now does.
CREATE OR REPLACE FUNCTION hufu.match_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    met int[];
BEGIN
    met := ARRAY(
        SELECT p.id FROM access_rule_part p
        WHERE p.type = '{name}' AND p.by_fields AND {_met(resource, "NEW")});
    DELETE FROM access_rule_match m USING access_rule_part p
    WHERE m.record_id = NEW.id AND p.id = m.part AND p.type = '{name}' AND p.id <> ALL (met);
    INSERT INTO access_rule_match (part, record_id, {PLACE}) SELECT unnest(met), NEW.id, {place(resource, "NEW")}
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- Of many new records each part is asked by a query of its own, which takes longer to plan than one record to look at.
CREATE OR REPLACE FUNCTION hufu.match_new_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    p access_rule_part;
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM added LIMIT 2) few) < 2 THEN
        INSERT INTO access_rule_match (part, record_id, {PLACE})
        SELECT part.id, a.id, {place(resource, "a")}
        FROM added a CROSS JOIN LATERAL (SELECT a::public.{table} AS r) typed CROSS JOIN access_rule_part part
        WHERE part.type = '{name}' AND part.by_fields AND {_met(resource, "typed.r", "part")}
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    END IF;
    FOR p IN SELECT * FROM access_rule_part WHERE type = '{name}' AND by_fields LOOP
        EXECUTE format('INSERT INTO access_rule_match (part, record_id, {PLACE})
                        SELECT %s, a.id, {place(resource, "a")}
                        FROM added a CROSS JOIN LATERAL (SELECT a::public.{table} AS r) typed
                        WHERE %s ON CONFLICT DO NOTHING',
                       p.id, hufu.rule_filter_{table}(p.literals));
    END LOOP;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION hufu.unmatch_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    DELETE FROM access_rule_match m USING access_rule_part p, removed r
    WHERE m.record_id = r.id AND p.id = m.part AND p.type = '{name}';
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER match_rules AFTER UPDATE ON public.{table}
    FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION hufu.match_{table}();
CREATE OR REPLACE TRIGGER match_rules_new AFTER INSERT ON public.{table} REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.match_new_{table}();
CREATE OR REPLACE TRIGGER match_rules_end AFTER DELETE ON public.{table} REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.unmatch_{table}();

-- Find the records of a part, anew. Whoever changes records waits until this is committed: none is overlooked, and none
-- stays that has changed meanwhile.
CREATE OR REPLACE FUNCTION hufu.rule_fill_{table}(wanted int, literals jsonb) RETURNS void LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM access_rule_match WHERE part = wanted;
    EXECUTE format('INSERT INTO access_rule_match (part, record_id, {PLACE})
                    SELECT %s, r.id, {place(resource, "r")} FROM {table} r WHERE %s',
                   wanted, hufu.rule_filter_{table}(literals));
END $$;

-- How many records that are not in the bin meet a condition, and the newest of them.
CREATE OR REPLACE FUNCTION hufu.rule_try_{table}(condition jsonb, most int, OUT amount bigint, OUT newest bigint[])
    LANGUAGE plpgsql STABLE {HEAD} AS $$
DECLARE
    filter text;
BEGIN
    SELECT string_agg(concat_ws(' AND ',
               hufu.rule_filter_{table}(a.literals),
               CASE WHEN a.owners IS NOT NULL THEN format('hufu.bit(%L, r.owner_id)', a.owners) END,
               CASE WHEN a.departments IS NOT NULL THEN format('hufu.bit(%L, r.department_id)', a.departments) END),
           ' OR ')
    INTO filter FROM hufu.rule_alternatives('{name}', condition, hufu.now()) a;
    EXECUTE format('SELECT count(*) FROM {table} r WHERE r.deleted_at IS NULL AND (%s)', coalesce(filter, 'false'))
        INTO amount;
    EXECUTE format('SELECT ARRAY(SELECT r.id FROM {table} r WHERE r.deleted_at IS NULL AND (%s)
                                 ORDER BY r.updated_at DESC, r.id DESC LIMIT %s)', coalesce(filter, 'false'), most)
        INTO newest;
END $$;
"""


def _dispatch(independent: list[ResourceType]) -> str:
    fills = "".join(
        f"\n    WHEN '{resource.name}' THEN PERFORM hufu.rule_fill_{resource.table}(part, literals);"
        for resource in independent
    )
    tries = "".join(
        f"\n    WHEN '{resource.name}' THEN RETURN QUERY SELECT * FROM hufu.rule_try_{resource.table}(condition, most);"
        for resource in independent
    )
    return f"""
CREATE OR REPLACE FUNCTION hufu.rule_fill(part int, of_type text, literals jsonb) RETURNS void LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    CASE of_type {fills}
    END CASE;
END $$;

-- What a condition covers: the number for whoever manages or explains rights, record by record for the command line
-- alone, which shows somebody those of them that they may view.
CREATE OR REPLACE FUNCTION hufu.try_condition(of_type text, condition jsonb, most int)
    RETURNS TABLE (amount bigint, newest bigint[]) LANGUAGE plpgsql STABLE {HEAD} AS $$
BEGIN
    IF NOT (hufu.holds('role.manage') OR hufu.holds('explain.any')) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF hufu.actor() > 0 THEN
        most := 0;
    END IF;
    CASE of_type {tries}
    END CASE;
END $$;

-- Rules that stood before this version of the program are looked at again: a field may have gone.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM access_rule) THEN
        PERFORM hufu.rebuild_reach();
    END IF;
END $$;
"""
