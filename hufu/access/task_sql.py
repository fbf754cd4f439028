"""Half two of approval tasks: who opens and ends one, and the count on the record by which it is held."""

from __future__ import annotations

from hufu.access import registry
from hufu.access.decision.states import State
from hufu.access.registry import ResourceType

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
REFUSED = "RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'"


def statements(resource: ResourceType) -> str:
    """Return the SQL of the deed that opens tasks on records of a type that can be held, else nothing."""
    if State.PENDING not in resource.states:
        return ""
    table, name = resource.table, resource.name
    return f"""
-- Tasks of one declared kind, for people who are admitted to the record's partition: by whoever may use the kind's
-- permission on it, or whose own task of that kind it is. Nobody gives one to themselves. Returns their numbers, in
-- the order of the people's; NULL, and opens none, where somebody named cannot have one.
CREATE OR REPLACE FUNCTION hufu.open_tasks_{table}(record bigint, of_kind text, people int[]) RETURNS bigint[]
    LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    made bigint[];
    place int;
BEGIN
    PERFORM 1 FROM people_user WHERE id = ANY (people) FOR SHARE;
    SELECT r.partition_id INTO place FROM {table} r WHERE r.id = record AND r.deleted_at IS NULL FOR UPDATE;
    IF NOT FOUND OR cardinality(people) = 0 OR hufu.actor() = ANY (people) OR NOT EXISTS (
        SELECT 1 FROM access_task_kind k
        WHERE k.kind = of_kind AND k.type = '{name}' AND (hufu.covers_{table}(k.permission, record) OR EXISTS (
            SELECT 1 FROM access_task t WHERE t.type = k.type AND t.record_id = record AND t.kind = k.kind
              AND t.user_id = hufu.actor() AND hufu.covers_{table}('{resource.permission("view")}', record)))) THEN
        {REFUSED};
    END IF;
    IF EXISTS (
        SELECT 1 FROM unnest(people) one (id)
        WHERE NOT hufu.is_admitted(one.id, place, false) OR EXISTS (
            SELECT 1 FROM access_task t
            WHERE t.type = '{name}' AND t.record_id = record AND t.kind = of_kind AND t.user_id = one.id)) THEN
        RETURN NULL;
    END IF;
    WITH opened AS (
        INSERT INTO access_task (type, record_id, kind, user_id, opened_by)
        SELECT DISTINCT '{name}', record, of_kind, one.id, hufu.actor() FROM unnest(people) one (id)
        RETURNING id, user_id)
    SELECT array_agg(id ORDER BY user_id) INTO made FROM opened;
    RETURN made;
END $$;
"""


def common() -> str:
    """Return the SQL that is about tasks of every type."""
    counted = "".join(
        f"""
    WHEN '{resource.name}' THEN
        UPDATE {resource.table} r SET pending_tasks = r.pending_tasks + one WHERE r.id = it.record_id;"""
        for resource in registry.resource_types()
        if State.PENDING in resource.states
    )
    return f"""
REVOKE ALL ON public.access_task, public.access_task_kind FROM hufu_app;
GRANT SELECT ON public.access_task TO hufu_app;
ALTER TABLE public.access_task ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_task_kind ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read ON public.access_task;
CREATE POLICY read ON public.access_task FOR SELECT TO hufu_app
    USING (user_id = (SELECT hufu.actor()) OR (SELECT hufu.holds('explain.any'))
           OR hufu.follows_record('view', type, record_id));

-- INVARIANT: a record is held by as many tasks as there are about it.
CREATE OR REPLACE FUNCTION hufu.count_tasks() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    it access_task := CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END;
    one int := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    CASE it.type {counted}
    ELSE RAISE EXCEPTION 'records of this type are held by no task' USING ERRCODE = 'check_violation';
    END CASE;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER count_tasks AFTER INSERT OR DELETE ON public.access_task
    FOR EACH ROW EXECUTE FUNCTION hufu.count_tasks();

-- A task ends: by whoever has it or opened it, and by whoever may lock the record, so that there is always a way out.
CREATE OR REPLACE FUNCTION hufu.end_task(task bigint) RETURNS void LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    it access_task;
BEGIN
    SELECT * INTO it FROM access_task t WHERE t.id = task FOR UPDATE;
    IF NOT FOUND OR (hufu.actor() NOT IN (it.user_id, it.opened_by)
                     AND NOT hufu.follows_record('lock', it.type, it.record_id)) THEN
        {REFUSED};
    END IF;
    DELETE FROM access_task t WHERE t.id = it.id;
END $$;
"""
