"""Half two of shares that reach across the wall, for each type: whom they let through, and asking for one."""

from __future__ import annotations

from hufu.access.decision.terms import Need, Share
from hufu.access.registry import ResourceType

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
REFUSED = "RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'"


def is_let_across(resource: ResourceType, row: str, share: Share) -> str:
    """Return the SQL condition that a share lets the actor through the wall to `row`; asked once per statement."""
    editing = " WHERE c.access = 'edit'" if share is Share.EDIT else ""
    return f"{row}.id IN (SELECT c.record_id FROM hufu.my_crossings('{resource.name}') c{editing})"


def let_across(resource: ResourceType, need: Need) -> str:
    """Return the SQL array of those whom shares let through the wall to the record `r`, for a need."""
    if need.share_across is Share.NONE:
        return "'{}'"
    editing = " AND s.access = 'edit'" if need.share_across is Share.EDIT else ""
    return (
        "ARRAY(SELECT s.user_id FROM hufu.shares s WHERE s.across_by IS NOT NULL AND s.user_id <> s.given_by"
        f" AND s.type = '{resource.name}' AND s.record_id = r.id{editing})"
    )


def exclusive(resource: ResourceType, inside: str) -> str:
    """Return the SQL that keeps the exclusive fields of a record from whoever reaches it across the wall alone.

    It is asked before the value is compared with others, so that taken and free ones look alike.
    """
    table = resource.table
    columns = [declared.column for declared in resource.exclusive_fields()]
    changes = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    return f"""
CREATE OR REPLACE FUNCTION hufu.keeps_{table}_exclusive() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF row_security_active('public.{table}')
       AND NOT hufu.covers_{table}('{resource.permission("edit")} {inside}', NEW.id) THEN
        {REFUSED};
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER keeps_exclusive BEFORE UPDATE OF {", ".join(columns)} ON public.{table} FOR EACH ROW
    WHEN ({changes}) EXECUTE FUNCTION hufu.keeps_{table}_exclusive();
"""


def deeds(resource: ResourceType, giving_edit: str) -> str:
    """Return the SQL of the deed that shares a record of this type with somebody outside the wall."""
    table, name = resource.table, resource.name
    return f"""
-- A record shared with one person who is not admitted to its partition (to edit: not with that right), and the request
-- that this share reach them: by whoever may share it, never to themselves. Until it is let across it opens nothing.
-- Returns the number of the request; NULL, and shares nothing, where the person is inside the wall, owns the record or
-- is not active, and where somebody asked already.
CREATE OR REPLACE FUNCTION hufu.ask_across_{table}(
    record bigint, to_user int, wanted text, until timestamptz, why text) RETURNS bigint LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    place int;
    made bigint;
    asked bigint;
BEGIN
    PERFORM 1 FROM people_user WHERE id = to_user FOR SHARE;
    PERFORM 1 FROM {table} r WHERE r.id = record FOR SHARE;
    IF NOT hufu.covers_{table}('{resource.permission("share")}', record)
       OR hufu.actor() <= 0 OR to_user = hufu.actor() OR wanted NOT IN ('read', 'edit')
       OR (wanted = 'edit' AND NOT hufu.covers_{table}('{giving_edit}', record))
       OR coalesce(until <= hufu.now() OR until > hufu.longest_crossing(hufu.now()), true) THEN
        {REFUSED};
    END IF;
    SELECT r.partition_id INTO place FROM {table} r
    WHERE r.id = record AND r.owner_id IS DISTINCT FROM to_user AND hufu.is_active(to_user)
      AND NOT hufu.is_admitted(to_user, r.partition_id, wanted = 'edit');
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- What nobody answered in time makes room.
    DELETE FROM access_share s USING access_admission_request q
    WHERE q.share_id = s.id AND q.type = '{name}' AND q.record_id = record AND q.user_id = to_user
      AND q.granted IS NULL AND q.ended_at IS NULL
      AND (hufu.request_lapses(q.asked_at) <= hufu.now() OR q.ends_at <= hufu.now());
    IF EXISTS (SELECT 1 FROM access_admission_request q
               WHERE q.type = '{name}' AND q.record_id = record AND q.user_id = to_user
                 AND q.granted IS NULL AND q.ended_at IS NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO access_share (type, record_id, user_id, below, post, access, superiors, ends_at, reason, given_by)
    VALUES ('{name}', record, to_user, false, '', wanted, false, until, why, hufu.actor()) RETURNING id INTO made;
    INSERT INTO access_admission_request (type, record_id, partition_id, user_id, access, ends_at, reason, share_id,
                                          asked_by_id, asked_at)
    VALUES ('{name}', record, place, to_user, wanted, until, why, made, hufu.actor(), hufu.now())
    RETURNING id INTO asked;
    RETURN asked;
END $$;
"""
