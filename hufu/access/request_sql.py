"""Half two of access requests: which record a request would open, for every registered type."""

from __future__ import annotations

from hufu.access import registry
from hufu.access.registry import ResourceType


def statement() -> str:
    """Return the SQL that leads from the record of a request to the one that would be shared, and who may share it.

    What follows another record is opened with that one.
    """
    found = "".join(_found(resource) for resource in registry.resource_types())
    shared = "".join(
        f"\n    WHEN '{resource.name}' THEN hufu.covers_{resource.table}('{resource.permission('share')}', record)"
        for resource in registry.resource_types()
        if not resource.parent and resource.has("share")
    )
    return f"""
CREATE OR REPLACE FUNCTION hufu.asked_record(of_type text, record bigint)
    RETURNS TABLE (type text, id bigint, owner_id int, partition_id int) LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    CASE of_type {found}
    ELSE NULL;
    END CASE;
END $$;

CREATE OR REPLACE FUNCTION hufu.may_share(of_type text, record bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE of_type {shared}
    ELSE false END $$;

-- What somebody lacks for a share of the record to open what it says: a permission that they hold at no scope as
-- their own; NULL where they lack nothing. For whoever may share the record, and nobody else.
CREATE OR REPLACE FUNCTION hufu.lacks_for_share(of_type text, record bigint, who int, wanted text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT coalesce(hufu.may_share(of_type, record), false) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (SELECT of_type || '.' || verb FROM unnest(ARRAY['view', 'edit']) WITH ORDINALITY v (verb, place)
            WHERE (verb = 'view' OR wanted = 'edit') AND NOT EXISTS (
                SELECT 1 FROM access_term t JOIN access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
                WHERE t.user_id = who AND t.holder_id = who AND g.permission = of_type || '.' || verb AND g.scopes <> 0)
            ORDER BY place LIMIT 1);
END $$;

-- The same of a share with several at once: the permission that none of those whom it reaches holds; NULL where
-- somebody holds all that it says. Whoever gives it gains nothing.
CREATE OR REPLACE FUNCTION hufu.all_lack_for_share(of_type text, record bigint, to_whom text, superiors boolean,
                                                   giver int, wanted text) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT coalesce(hufu.may_share(of_type, record), false) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN (SELECT of_type || '.' || verb FROM unnest(ARRAY['view', 'edit']) WITH ORDINALITY v (verb, place)
            WHERE (verb = 'view' OR wanted = 'edit') AND NOT EXISTS (
                SELECT 1 FROM hufu.recipients(to_whom, superiors, giver) r (who)
                JOIN access_term t ON t.user_id = r.who AND t.holder_id = r.who
                JOIN access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
                WHERE hufu.is_active(r.who) AND g.permission = of_type || '.' || verb AND g.scopes <> 0)
            ORDER BY place LIMIT 1);
END $$;
"""


def _found(resource: ResourceType) -> str:
    parent = resource.parent_type
    if parent is None:
        rows = f"{resource.table} p WHERE p.id = record AND p.deleted_at IS NULL"
    else:
        column = resource.by_name[resource.parent].column
        rows = (
            f"{resource.table} r JOIN {parent.table} p ON p.id = r.{column}"
            " WHERE r.id = record AND r.deleted_at IS NULL AND p.deleted_at IS NULL"
        )
    return f"""
    WHEN '{resource.name}' THEN
        RETURN QUERY SELECT '{resource.independent.name}'::text, p.id, p.owner_id, p.partition_id FROM {rows};"""
