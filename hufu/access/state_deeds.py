"""The deeds that void and lock a record, and take it back: definer functions for every type that declares the verb."""

from __future__ import annotations

from hufu.access.registry import ResourceType

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
REFUSED = "RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'"
# verb: its opposite, and how the columns of the state begin.
PAIRS = {"void": ("unvoid", "voided", "void"), "lock": ("unlock", "locked", "lock")}


def statements(resource: ResourceType) -> str:
    """Return the SQL of these deeds. A version that is not the record's any more changes nothing: false."""
    table = resource.table
    touched = "lock_version = r.lock_version + 1, updated_at = hufu.now(), updated_by_id = hufu.actor()"
    made = []
    for verb, (back, state, reason) in PAIRS.items():
        if not resource.has(verb):
            continue
        must = f"""IF NOT hufu.covers_{table}('{resource.permission(verb)}', record) THEN
        {REFUSED};
    END IF;"""
        made.append(f"""
CREATE OR REPLACE FUNCTION hufu.{verb}_{table}(record bigint, version int, why text) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    {must}
    UPDATE {table} r SET {state}_at = hufu.now(), {state}_by_id = hufu.actor(), {reason}_reason = why, {touched}
    WHERE r.id = record AND r.lock_version = version AND r.{state}_at IS NULL;
    RETURN FOUND;
END $$;
CREATE OR REPLACE FUNCTION hufu.{back}_{table}(record bigint, version int) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    {must}
    UPDATE {table} r SET {state}_at = NULL, {state}_by_id = NULL, {reason}_reason = '', {touched}
    WHERE r.id = record AND r.lock_version = version AND r.{state}_at IS NOT NULL;
    RETURN FOUND;
END $$;
""")
    return "".join(made)
