"""Pools in the database, for each type that declares itself pooled: conditions of the row policies, and the deeds."""

from __future__ import annotations

from hufu.access.decision.terms import Need
from hufu.access.registry import Field, ResourceType

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
REFUSED = "RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'"


def is_member(resource: ResourceType, row: str) -> str:
    """Return the SQL condition that `row` lies in a pool of which the actor is a member; asked once per statement."""
    return f"{row}.pool_id IN (SELECT hufu.my_pools('{resource.name}'))"


def members(need: Need, row: str) -> str:
    """Return the SQL array of those whom the membership of the pool of `row` covers for a need."""
    return f"ARRAY(SELECT hufu.pool_members({row}.pool_id))" if need.pooled else "'{}'"


def hides(resource: ResourceType, declared: Field, row: str) -> str:
    """Return the SQL condition that `row`, the record that decides, lies in a pool that hides a field of the type."""
    return (
        f"coalesce({row}.pool_id IN (SELECT hufu.pools_hiding('{resource.name}', '{declared.name}')), false)"
    )


def leaves(resource: ResourceType) -> str:
    """Return the SQL assignment by which a record that gets an owner leaves its pool."""
    return "pool_id = NULL, " if resource.pooled else ""


def deeds(resource: ResourceType) -> str:
    """Return the SQL of the two deeds: into a pool, and out of it to whoever claims it."""
    table, name = resource.table, resource.name
    touched = "lock_version = r.lock_version + 1, updated_at = hufu.now(), updated_by_id = hufu.actor()"
    return f"""
-- Into a pool of its partition, by whoever may transfer the record. The team and the shares by hand end: they were
-- given for work with it that is over. The department stays what it was. Returns who left, and which shares ended;
-- NULL where the version is not the record's any more, it has no owner, or the pool is not one for it.
CREATE OR REPLACE FUNCTION hufu.release_{table}(record bigint, into_pool int, version int) RETURNS jsonb
    LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    said jsonb;
    ended jsonb;
BEGIN
    IF NOT hufu.covers_{table}('{resource.permission("transfer")}', record) THEN
        {REFUSED};
    END IF;
    UPDATE {table} r SET owner_id = NULL, pool_id = into_pool, {touched}
    WHERE r.id = record AND r.lock_version = version AND r.owner_id IS NOT NULL
      AND EXISTS (SELECT 1 FROM access_pool p
                  WHERE p.id = into_pool AND p.type = '{name}' AND p.partition_id = r.partition_id);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH gone AS (DELETE FROM access_team_member m WHERE m.type = '{name}' AND m.record_id = record RETURNING m.user_id)
    SELECT coalesce(jsonb_agg(user_id ORDER BY user_id), '[]') INTO said FROM gone;
    SELECT coalesce(jsonb_agg(jsonb_build_array(s.type, s.record_id, s.id) ORDER BY s.id), '[]') INTO ended
    FROM access_share s
    WHERE (s.type = '{name}' AND s.record_id = record)
       OR s.along_with_id IN (SELECT o.id FROM access_share o WHERE o.type = '{name}' AND o.record_id = record);
    DELETE FROM access_share s WHERE s.type = '{name}' AND s.record_id = record;
    RETURN jsonb_build_object('left', said, 'unshared', ended);
END $$;

-- Out of the pool to whoever claims it, who is active and admitted; the department follows them. INVARIANT: of those
-- who claim it at once one gets it: the others wait for the row, and then its version is another.
CREATE OR REPLACE FUNCTION hufu.claim_{table}(record bigint, version int) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    PERFORM 1 FROM people_user WHERE id = hufu.actor() FOR SHARE;
    IF NOT hufu.covers_{table}('{resource.permission("claim")}', record) THEN
        {REFUSED};
    END IF;
    UPDATE {table} r SET owner_id = u.id, pool_id = NULL, department_id = u.main_department_id, {touched}
    FROM people_user u
    WHERE r.id = record AND r.lock_version = version AND r.pool_id IS NOT NULL
      AND u.id = hufu.actor() AND u.main_department_id IS NOT NULL AND hufu.may_own(u.id, r.partition_id);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM access_team_member m WHERE m.type = '{name}' AND m.record_id = record AND m.user_id = hufu.actor();
    RETURN true;
END $$;
"""
