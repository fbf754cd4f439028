"""The database's half of the duplicate check, made from the registry: what is found, told, entered and kept apart.

INVARIANT: the number of a record that the actor may not view leaves the database in none of these functions.
"""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import duplicate_facts
from hufu.access.duplicate_models import USUAL_FACTS
from hufu.access.policies import CEILING
from hufu.access.registry import Field, ResourceType, permission, resource_types
from hufu.crm.blind import INDEXED

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
REFUSED = "RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'"
CEILING_OF_ROW = f"({CEILING} IS NULL OR hufu.bit({CEILING}, partition_id))"
# A check tells of so many records at most.
MOST = 20
# How long what a check found is kept, for whoever wants to ask about it.
KEPT = "90 days"
TABLES = ("crm_duplicate", "crm_duplicate_hit", "crm_duplicate_dispute")


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of what every type shares, and of each type that has fields to check."""
    yield "crm.duplicates", _tables()
    for resource in resource_types():
        if resource.has("check_duplicate"):
            yield f"crm.duplicates.{resource.name}", _of_type(resource)
    yield "crm.duplicates.deeds", _deeds()


def key(value: str) -> str:
    """Return the SQL of how an exclusive code is compared; the model's constraint says the same (exclusive_key)."""
    return f"upper(translate({value}, ' -', ''))"


def found_column(declared: Field) -> str:
    """Return the column by which a field is found: an encrypted one by the blind index of its whole value."""
    return f"{declared.column}{INDEXED[declared.kind][0][0]}" if declared.is_encrypted else declared.column


def holds_in(name: str, partition: str, *, own: bool = True) -> str:
    """Return the SQL condition that the actor holds a permission in a partition, which is open to them now."""
    declared = permission(name)
    theirs = " AND t.holder_id = t.user_id" if own else ""
    return f"""(hufu.permission_is_open('{name}') AND hufu.partition_is_open({partition}) AND EXISTS (
        SELECT 1 FROM access_term t JOIN access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
        WHERE t.user_id = hufu.actor(){theirs} AND g.permission = '{name}' AND g.scopes <> 0
          AND NOT t.gates && hufu.closed_gates() AND hufu.bit(t.{declared.right}_partitions, {partition})))"""


def _of_type(resource: ResourceType) -> str:
    looks_after = _looks_after(resource) if resource.has("steward") else ""
    return _keeps_apart(resource) + _enters(resource) + _checks(resource) + looks_after


def _keeps_apart(resource: ResourceType) -> str:
    """A code that was shared when codes became exclusive stays so until it, or its partition, changes."""
    made = []
    for declared in resource.exclusive_fields():
        repeated = f"{declared.name}_repeated"
        made.append(
            f"""
CREATE OR REPLACE FUNCTION hufu.{resource.table}_{repeated}() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    NEW.{repeated} := TG_OP = 'UPDATE' AND OLD.{repeated} AND NEW.deleted_at IS NULL
        AND NEW.{declared.column} = OLD.{declared.column} AND NEW.partition_id = OLD.partition_id;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER {repeated} BEFORE INSERT OR UPDATE OF {declared.column}, partition_id, deleted_at, {repeated}
    ON public.{resource.table} FOR EACH ROW EXECUTE FUNCTION hufu.{resource.table}_{repeated}();
"""
        )
    return "".join(made)


def _enters(resource: ResourceType) -> str:
    """What a record that is written has in common with an older one of its partition, seen or not, is entered."""
    table, name = resource.table, resource.name
    watched = [declared for declared in resource.checkable_fields() if not declared.exclusive]

    def pair(declared: Field, new: str, source: str = "") -> str:
        column = found_column(declared)
        filled = f"{new}.{column} IS NOT NULL" if declared.is_encrypted else f"{new}.{column} <> ''"
        # `+ 0`: by the index of the value, never along the numbers.
        return f"""
    SELECT '{name}', greatest({new}.id, o.id), least({new}.id, o.id), {new}.partition_id, '{declared.name}',
           hufu.now(), {new}.updated_by_id, ''
    FROM {source}LATERAL (SELECT min(r.id + 0) AS id FROM {table} r
                  WHERE r.{column} = {new}.{column} AND r.partition_id = {new}.partition_id
                    AND r.deleted_at IS NULL AND r.id <> {new}.id) o
    WHERE o.id IS NOT NULL AND {filled} AND {new}.deleted_at IS NULL"""

    into = "INSERT INTO crm_duplicate (type, record_id, other_id, partition_id, field, found_at, found_by, state)"
    from_fresh = "".join(
        f"\n    {into}{pair(declared, 'n', 'fresh n, ')}\n    ON CONFLICT DO NOTHING;" for declared in watched
    )
    from_new = "".join(
        f"""
    IF NEW.{found_column(declared)} IS DISTINCT FROM OLD.{found_column(declared)} OR elsewhere THEN
        DELETE FROM crm_duplicate d WHERE d.type = '{name}' AND d.field = '{declared.name}' AND d.state = ''
            AND NEW.id IN (d.record_id, d.other_id);
        {into}{pair(declared, "NEW")}
        ON CONFLICT DO NOTHING;
    END IF;"""
        for declared in watched
    )
    columns = ", ".join(found_column(declared) for declared in watched)
    changed = " OR ".join(
        f"NEW.{column} IS DISTINCT FROM OLD.{column}"
        for column in (*map(found_column, watched), "partition_id", "deleted_at")
    )
    return f"""
-- By the index of the value, whatever the planner takes the table for: it was empty when a load began.
CREATE OR REPLACE FUNCTION hufu.enter_duplicates_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD}
    SET enable_seqscan = off AS $$
BEGIN{from_fresh}
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION hufu.follow_duplicates_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    elsewhere boolean := NEW.partition_id <> OLD.partition_id OR (NEW.deleted_at IS NULL) <> (OLD.deleted_at IS NULL);
BEGIN
    IF NEW.partition_id <> OLD.partition_id THEN
        DELETE FROM crm_duplicate d WHERE d.type = '{name}' AND NEW.id IN (d.record_id, d.other_id);
        DELETE FROM crm_duplicate_hit h WHERE h.type = '{name}' AND h.record_id = NEW.id;
        UPDATE crm_duplicate_dispute q SET partition_id = NEW.partition_id
        WHERE q.type = '{name}' AND q.record_id = NEW.id;
    END IF;{from_new}
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION hufu.forget_duplicates_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    DELETE FROM crm_duplicate d USING gone WHERE d.type = '{name}' AND gone.id IN (d.record_id, d.other_id);
    DELETE FROM crm_duplicate_hit h USING gone WHERE h.type = '{name}' AND h.record_id = gone.id;
    DELETE FROM crm_duplicate_dispute q USING gone WHERE q.type = '{name}' AND q.record_id = gone.id;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER enter_duplicates AFTER INSERT ON public.{table} REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.enter_duplicates_{table}();
CREATE OR REPLACE TRIGGER follow_duplicates AFTER UPDATE OF {columns}, partition_id, deleted_at ON public.{table}
    FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION hufu.follow_duplicates_{table}();
CREATE OR REPLACE TRIGGER forget_duplicates AFTER DELETE ON public.{table} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.forget_duplicates_{table}();
"""


def _checks(resource: ResourceType) -> str:
    """The check, and the refusal of an exclusive value, which is one: same facts, same quota."""
    table, name = resource.table, resource.name
    check = resource.permission("check_duplicate")
    searched = "\n        UNION ALL ".join(
        [
            f"""SELECT r.id, '{declared.name}'::text AS field FROM {table} r
        WHERE {_matches(declared, declared.name)} AND r.partition_id = ANY (places) AND r.deleted_at IS NULL"""
            for declared in resource.checkable_fields()
        ]
        + [
            f"""SELECT p.id, '{other.name}.{declared.name}'::text AS field
        FROM {other.table} r JOIN {table} p ON p.id = r.{other.by_name[other.parent].column}
        WHERE {_matches(declared, f"{other.name}.{declared.name}")} AND p.partition_id = ANY (places)
          AND r.deleted_at IS NULL AND p.deleted_at IS NULL"""
            for other, declared in resource.checked_along()
        ]
    )
    facts = ", ".join(
        f"'{fact}', r.{resource.by_name[fact].column}" for fact in duplicate_facts.tellable(resource)
    )
    usual = ", ".join(f"'{fact}'" for fact in USUAL_FACTS)
    writes = " OR ".join(
        holds_in(resource.permission(verb), "within", own=False) for verb in ("create", "edit", "restore")
    )
    exclusive = ", ".join(f"'{declared.name}'" for declared in resource.exclusive_fields())
    return f"""
-- What a check found, as [{{hit, fields, told, record}}], each kept for its asker. `record`: where they may view it.
CREATE OR REPLACE FUNCTION hufu.find_duplicates_{table}(asked jsonb, places int[]) RETURNS jsonb LANGUAGE plpgsql
    {HEAD} AS $$
DECLARE
    tells text[] := coalesce((SELECT f.facts FROM access_duplicate_facts f WHERE f.type = '{name}'), ARRAY[{usual}]);
    said jsonb;
BEGIN
    WITH matching AS (
        SELECT m.id, array_agg(DISTINCT m.field ORDER BY m.field) AS fields FROM (
        {searched}) m GROUP BY m.id ORDER BY m.id LIMIT {MOST}),
    kept AS (
        INSERT INTO crm_duplicate_hit (type, record_id, partition_id, fields, told, found_at, found_by)
        SELECT '{name}', r.id, r.partition_id, m.fields,
               (SELECT coalesce(jsonb_object_agg(e.key, e.value), '{{}}')
                FROM jsonb_each(jsonb_build_object({facts})) e WHERE e.key = ANY (tells)),
               hufu.now(), hufu.actor()
        FROM matching m JOIN {table} r ON r.id = m.id
        RETURNING id, record_id, fields, told)
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'hit', k.id, 'fields', k.fields, 'told', k.told,
               'record', CASE WHEN hufu.covers_{table}('{resource.permission("view")}', k.record_id)
                              THEN k.record_id END)
               ORDER BY k.record_id), '[]')
    INTO said FROM kept k;
    IF random() < 0.01 THEN
        DELETE FROM crm_duplicate_hit h WHERE h.id IN (
            SELECT o.id FROM crm_duplicate_hit o WHERE o.found_at < hufu.now() - interval '{KEPT}'
            ORDER BY o.found_at LIMIT 1000 FOR UPDATE SKIP LOCKED);
    END IF;
    RETURN said;
END $$;

-- The duplicate check: exact values by field, in every partition in which the actor holds it. `uses` count against
-- their quotas; where one is used up nothing is looked for. Returns {{quotas, found}}.
CREATE OR REPLACE FUNCTION hufu.check_duplicate_{table}(asked jsonb, uses int) RETURNS jsonb LANGUAGE plpgsql
    {HEAD} AS $$
DECLARE
    places int[] := ARRAY(SELECT p.id FROM access_partition p WHERE {holds_in(check, "p.id")});
    counted jsonb;
BEGIN
    IF cardinality(places) = 0 OR uses < 1 THEN
        {REFUSED};
    END IF;
    counted := hufu.count_check('{check}', uses);
    IF counted @> '[{{"refuses": true}}]' THEN
        RETURN jsonb_build_object('quotas', counted, 'found', '[]'::jsonb);
    END IF;
    RETURN jsonb_build_object('quotas', counted, 'found', hufu.find_duplicates_{table}(asked, places));
END $$;

-- Why a value of an exclusive field was refused in a partition where the actor may write: that it is taken, and to
-- whoever holds the check there what a check tells. It counts as a check for everybody.
-- Returns {{quotas, taken, found}}.
CREATE OR REPLACE FUNCTION hufu.taken_{table}(field text, value text, within int, uses int) RETURNS jsonb
    LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    asked jsonb := jsonb_build_object(field, value);
    counted jsonb;
    found_some jsonb;
BEGIN
    IF NOT coalesce(field IN ({exclusive or "NULL"}), false) OR uses < 1 OR NOT ({writes}) THEN
        {REFUSED};
    END IF;
    counted := hufu.count_check('{check}', uses);
    IF counted @> '[{{"refuses": true}}]' THEN
        RETURN jsonb_build_object('quotas', counted, 'taken', NULL, 'found', '[]'::jsonb);
    END IF;
    found_some := hufu.find_duplicates_{table}(asked, ARRAY[within]);
    IF NOT {holds_in(check, "within")} THEN
        DELETE FROM crm_duplicate_hit h WHERE h.id IN (
            SELECT (f ->> 'hit')::bigint FROM jsonb_array_elements(found_some) f);
        RETURN jsonb_build_object('quotas', counted, 'taken', found_some <> '[]', 'found', '[]'::jsonb);
    END IF;
    RETURN jsonb_build_object('quotas', counted, 'taken', found_some <> '[]', 'found', found_some);
END $$;
"""


def _looks_after(resource: ResourceType) -> str:
    """Whose the records of the steward's list are, which the steward need not be able to view."""
    table, name = resource.table, resource.name
    return f"""
CREATE OR REPLACE FUNCTION hufu.stewarded_{table}(records bigint[])
    RETURNS TABLE (id bigint, owner_id int, department_id int, created_at timestamptz)
    LANGUAGE sql STABLE ROWS 20 {HEAD} AS
$$ SELECT r.id, r.owner_id, r.department_id, r.created_at FROM {table} r
   WHERE r.id = ANY (records) AND {holds_in(resource.permission("steward"), "r.partition_id")}
     AND (EXISTS (SELECT 1 FROM crm_duplicate d WHERE d.type = '{name}' AND d.record_id = r.id)
          OR EXISTS (SELECT 1 FROM crm_duplicate d WHERE d.type = '{name}' AND d.other_id = r.id)
          OR EXISTS (SELECT 1 FROM crm_duplicate_dispute q WHERE q.type = '{name}' AND q.record_id = r.id)) $$;
"""


def _matches(declared: Field, asked_as: str) -> str:
    """Return the SQL condition that `r` has the value that is asked for, or (encrypted) one of its blind indexes."""
    if declared.is_encrypted:
        return (
            f"r.{found_column(declared)} = ANY (ARRAY(SELECT decode(i.hex, 'hex')"
            f" FROM jsonb_array_elements_text(asked -> '{asked_as}') i (hex)))"
        )
    said = f"nullif(asked ->> '{declared.name}', '')"
    if declared.exclusive:
        return f"{key(f'r.{declared.column}')} = {key(said)} AND r.{declared.column} <> ''"
    return f"r.{declared.column} = {said}"


def _tables() -> str:
    made = "".join(
        f"""
ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.{table} FROM hufu_app;
DROP POLICY IF EXISTS read ON public.{table};
DROP POLICY IF EXISTS decide ON public.{table};"""
        for table in TABLES
    )
    stewards = " OR ".join(
        f"(type = '{resource.name}' AND {_stewards(resource)})"
        for resource in resource_types()
        if resource.has("steward")
    )
    return f"""{made}
-- Pairs and disputes are the steward's, in their partitions. What a check found is nobody's to read.
GRANT SELECT ON public.crm_duplicate, public.crm_duplicate_dispute TO hufu_app;
GRANT UPDATE (state, decided_at, decided_by) ON public.crm_duplicate TO hufu_app;
GRANT UPDATE (answer, outcome, closed_at, closed_by) ON public.crm_duplicate_dispute TO hufu_app;
CREATE POLICY read ON public.crm_duplicate FOR SELECT TO hufu_app USING ({stewards or "false"});
CREATE POLICY decide ON public.crm_duplicate FOR UPDATE TO hufu_app USING ({stewards or "false"})
    WITH CHECK (state IN ('', 'not_one', 'merge') AND decided_by = (SELECT hufu.actor()));
CREATE POLICY read ON public.crm_duplicate_dispute FOR SELECT TO hufu_app USING ({stewards or "false"});
CREATE POLICY decide ON public.crm_duplicate_dispute FOR UPDATE TO hufu_app
    USING (closed_at IS NULL AND ({stewards or "false"}))
    WITH CHECK (closed_at IS NOT NULL AND closed_by = (SELECT hufu.actor()));

-- Uses of the check, as rows of hufu.consume_quota.
CREATE OR REPLACE FUNCTION hufu.count_check(counted text, uses int) RETURNS jsonb LANGUAGE sql VOLATILE {HEAD} AS
$$ SELECT coalesce(jsonb_agg(to_jsonb(q)), '[]') FROM hufu.consume_quota(counted, uses, NULL) q $$;
"""


def _stewards(resource: ResourceType) -> str:
    """Return the SQL condition of row policies that the actor is steward in the partition of the row."""
    name = resource.permission("steward")
    right = permission(name).right
    return f"""(SELECT hufu.permission_is_open('{name}')) AND {CEILING_OF_ROW}
        AND EXISTS (
            SELECT 1 FROM public.access_term t
            JOIN public.access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
            WHERE t.user_id = (SELECT hufu.actor()) AND t.holder_id = t.user_id AND g.permission = '{name}'
              AND g.scopes <> 0 AND NOT t.gates && (SELECT hufu.closed_gates())
              AND hufu.bit(t.{right}_partitions, partition_id))"""


def _deeds() -> str:
    viewed = " ".join(
        f"WHEN h.type = '{resource.name}'"
        f" AND hufu.covers_{resource.table}('{resource.permission('view')}', h.record_id) THEN h.record_id"
        for resource in resource_types()
        if resource.has("check_duplicate")
    )
    return f"""
-- What the actor's own checks found lately, once per record and fields that found it. `record`: where they may view it.
DROP FUNCTION IF EXISTS hufu.my_duplicate_hits(int);
CREATE FUNCTION hufu.my_duplicate_hits(most int)
    RETURNS TABLE (id bigint, type text, fields text[], told jsonb, found_at timestamptz, disputed boolean,
                   record bigint)
    LANGUAGE sql STABLE ROWS 20 {HEAD} AS
$$ SELECT h.id, h.type::text, h.fields::text[], h.told, h.found_at,
          EXISTS (SELECT 1 FROM crm_duplicate_dispute d
                  WHERE (d.type, d.record_id, d.fields, d.raised_by) = (h.type, h.record_id, h.fields, h.found_by)
                    AND d.closed_at IS NULL),
          CASE {viewed} END
   FROM (SELECT l.* FROM (
             SELECT DISTINCT ON (k.type, k.record_id, k.fields) k.* FROM crm_duplicate_hit k
             WHERE k.found_by = hufu.actor() AND k.found_at > hufu.now() - interval '{KEPT}'
             ORDER BY k.type, k.record_id, k.fields, k.found_at DESC, k.id DESC) l
         ORDER BY l.found_at DESC, l.id DESC LIMIT most) h
   ORDER BY h.found_at DESC, h.id DESC $$;

-- What the actor disputed, and the answers; without the numbers of the records.
CREATE OR REPLACE FUNCTION hufu.my_disputes(most int)
    RETURNS TABLE (id bigint, type text, fields text[], reason text, raised_at timestamptz, outcome text, answer text,
                   closed_at timestamptz, closed_by int)
    LANGUAGE sql STABLE ROWS 20 {HEAD} AS
$$ SELECT d.id, d.type::text, d.fields::text[], d.reason::text, d.raised_at, d.outcome::text, d.answer::text,
          d.closed_at, d.closed_by
   FROM crm_duplicate_dispute d WHERE d.raised_by = hufu.actor() ORDER BY d.raised_at DESC, d.id DESC LIMIT most $$;

-- What the actor's own check found, to join it: by which fields, and since when they ask for just this, as far as they
-- may know. What other fields found is another thing, be it the same record or not.
DROP FUNCTION IF EXISTS hufu.number_of_duplicate(bigint, text);
CREATE OR REPLACE FUNCTION hufu.hit_to_join(hit bigint, kind text) RETURNS TABLE (fields text[], since timestamptz)
    LANGUAGE sql STABLE ROWS 1 {HEAD} AS
$$ SELECT h.fields::text[], (
       SELECT max(q.asked_at) FROM access_request q JOIN crm_duplicate_hit o ON o.id = q.hit
       WHERE q.user_id = h.found_by AND q.withdrawn_at IS NULL AND hufu.request_lapses(q.asked_at) > hufu.now()
         AND (o.type, o.record_id, o.fields) = (h.type, h.record_id, h.fields)
         AND NOT EXISTS (SELECT 1 FROM access_request_decision d WHERE d.request_id = q.id AND d.told))
   FROM crm_duplicate_hit h
   WHERE h.id = hit AND h.type = kind AND h.found_by = hufu.actor() AND h.found_at > hufu.now() - interval '{KEPT}' $$;

-- What the actor asked to join and was granted, where they view it by now: which record it is.
CREATE OR REPLACE FUNCTION hufu.my_joined() RETURNS TABLE (request bigint, type text, record bigint)
    LANGUAGE sql STABLE ROWS 20 {HEAD} AS
$$ SELECT j.* FROM (
       SELECT q.id, h.type::text, CASE {viewed} END AS record
       FROM access_request q
       JOIN access_request_decision d ON d.request_id = q.id AND d.granted AND d.told
       JOIN crm_duplicate_hit h ON h.id = q.hit AND h.found_by = q.user_id
       WHERE q.user_id = hufu.actor()) j
   WHERE j.record IS NOT NULL $$;

-- The actor asks to join what a check of theirs found. Returns the number of the request; NULL where there is no such
-- hit of theirs.
CREATE OR REPLACE FUNCTION hufu.ask_to_join(of_hit bigint, kind text, wanted text, until_then timestamptz, why text)
    RETURNS bigint LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO access_request (user_id, type, number, record_id, hit, access, permission, reason, until, asked_at)
    SELECT h.found_by, h.type, '', h.record_id, h.id, wanted, '', why, until_then, hufu.now()
    FROM crm_duplicate_hit h
    WHERE h.id = of_hit AND h.type = kind AND h.found_by = hufu.actor() AND hufu.actor() > 0
      AND wanted IN ('read', 'edit') AND why <> '' AND h.found_at > hufu.now() - interval '{KEPT}'
    RETURNING id INTO made;
    RETURN made;
END $$;

-- The actor disputes what a check of theirs found. One open dispute per record, fields and person: that two hits are
-- one record is told to nobody. Returns its number, or NULL where there is no such hit of theirs.
CREATE OR REPLACE FUNCTION hufu.dispute_duplicate(hit bigint, why text) RETURNS bigint LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO crm_duplicate_dispute (type, record_id, partition_id, fields, reason, raised_at, raised_by, answer)
    SELECT h.type, h.record_id, h.partition_id, h.fields, why, hufu.now(), h.found_by, ''
    FROM crm_duplicate_hit h
    WHERE h.id = hit AND h.found_by = hufu.actor() AND why <> '' AND NOT EXISTS (
        SELECT 1 FROM crm_duplicate_dispute d
        WHERE (d.type, d.record_id, d.fields, d.raised_by) = (h.type, h.record_id, h.fields, h.found_by)
          AND d.closed_at IS NULL)
    RETURNING id INTO made;
    RETURN made;
END $$;
"""
