"""The deeds whose new row leaves the actor's view, or whose doer sees no row at all: definer functions per type.

No row policy can allow these by itself (docs/decisions/0003). Each checks the actor's cover first. A version that is
not the record's any more changes nothing and returns false or NULL.
"""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import crossing_sql, pool_sql, registry, rule_sql, state_deeds, states, task_sql
from hufu.access.decision.scopes import Scope
from hufu.access.decision.states import State
from hufu.access.decision.terms import Need, Share
from hufu.access.registry import Kind, ResourceType

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
REFUSED = "RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege'"
# No permission, but what the check of each type answers for giving edit to others.
GIVING_EDIT = "giving edit"
# After a permission: where a share across the wall does not count.
INSIDE = "inside the wall"
TOUCHED = "lock_version = r.lock_version + 1, updated_at = hufu.now(), updated_by_id = hufu.actor()"


def statements(resource: ResourceType) -> str:
    """Return the SQL of a type's deeds."""
    made = [_bin(resource), state_deeds.statements(resource), task_sql.statements(resource)]
    if resource.parent_type is None:
        made += [
            _transfer(resource),
            _team(resource),
            _share(resource),
            crossing_sql.deeds(resource, GIVING_EDIT),
            _move(resource),
            _hand_over(resource),
            _who(resource),
        ]
    if resource.pooled:
        made.append(pool_sql.deeds(resource))
    return "".join(made)


def dependents(resource: ResourceType) -> Iterator[tuple[ResourceType, str]]:
    """Yield each type whose records name one of this type as what they belong to, and the column."""
    for other in registry.resource_types():
        for declared in other.fields:
            if declared.kind is Kind.REFERENCE and declared.reference == resource.name:
                yield other, declared.column


def _must(resource: ResourceType, verb: str, record: str = "record") -> str:
    return f"""IF NOT hufu.covers_{resource.table}('{resource.permission(verb)}', {record}) THEN
        {REFUSED};
    END IF;"""


def _bin(resource: ResourceType) -> str:
    table = resource.table
    counted = ", ".join(
        f"'{other.name}', (SELECT count(*) FROM {other.table} o WHERE o.{column} = record)"
        for other, column in dependents(resource)
    )
    return f"""
-- Into the bin: the record stays, and only who may restore or purge it sees it there.
CREATE OR REPLACE FUNCTION hufu.bin_{table}(record bigint, version int) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    {_must(resource, "delete")}
    UPDATE {table} r SET deleted_at = hufu.now(), deleted_by_id = hufu.actor(), lock_version = r.lock_version + 1
    WHERE r.id = record AND r.lock_version = version;
    RETURN FOUND;
END $$;

-- Out of the bin: the record stands as it was.
CREATE OR REPLACE FUNCTION hufu.restore_{table}(record bigint, version int) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    {_must(resource, "restore")}
    UPDATE {table} r SET deleted_at = NULL, deleted_by_id = NULL, {TOUCHED}
    WHERE r.id = record AND r.lock_version = version;
    RETURN FOUND;
END $$;

-- Out of the bin for good. What follows the record goes with it, what only names it stays without it; the foreign
-- keys do both. Returns how many of each type there were.
CREATE OR REPLACE FUNCTION hufu.purge_{table}(record bigint, version int) RETURNS jsonb LANGUAGE plpgsql
    {HEAD} AS $$
DECLARE
    said jsonb := jsonb_build_object({counted});
BEGIN
    {_must(resource, "purge")}
    DELETE FROM {table} r WHERE r.id = record AND r.lock_version = version;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    DELETE FROM access_team_member m WHERE m.type = '{resource.name}' AND m.record_id = record;
    DELETE FROM access_share s WHERE s.type = '{resource.name}' AND s.record_id = record;
    DELETE FROM access_task t WHERE t.type = '{resource.name}' AND t.record_id = record;
    RETURN said;
END $$;
"""


def _transfer(resource: ResourceType) -> str:
    table, name = resource.table, resource.name
    return f"""
DROP FUNCTION IF EXISTS hufu.transfer_{table}(bigint, int, int);
-- A new owner, active and admitted. The department follows them or stays; the former owner leaves, or stays in the
-- team with the access that is named.
CREATE OR REPLACE FUNCTION hufu.transfer_{table}(record bigint, new_owner int, version int, keep_department boolean,
                                                 former_access text) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
DECLARE
    former int;
BEGIN
    -- Before any row of the record: a person who is leaving is waited for, and has left afterwards.
    PERFORM 1 FROM people_user WHERE id = new_owner FOR SHARE;
    {_must(resource, "transfer")}
    SELECT r.owner_id INTO former FROM {table} r WHERE r.id = record AND r.lock_version = version FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE {table} r SET owner_id = new_owner, {pool_sql.leaves(resource)}{TOUCHED},
           department_id = CASE WHEN keep_department THEN r.department_id ELSE u.main_department_id END
    FROM people_user u
    WHERE r.id = record AND u.id = new_owner AND u.main_department_id IS NOT NULL
      AND hufu.may_own(new_owner, r.partition_id);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM access_team_member m
    WHERE m.type = '{name}' AND m.record_id = record AND m.user_id IN (new_owner, former);
    IF former_access IN ('read', 'edit') AND former <> new_owner THEN
        INSERT INTO access_team_member (type, record_id, user_id, access, role, added_at, added_by)
        SELECT '{name}', r.id, former, former_access, '', hufu.now(), hufu.actor() FROM {table} r
        WHERE r.id = record AND hufu.is_admitted(former, r.partition_id, former_access = 'edit');
    END IF;
    RETURN true;
END $$;
"""


def _team(resource: ResourceType) -> str:
    table, name = resource.table, resource.name
    return f"""
-- Into the team of a record: somebody else, admitted to the partition; nobody gives what they do not have.
CREATE OR REPLACE FUNCTION hufu.join_{table}(record bigint, who int, wanted text, as_role text) RETURNS boolean
    LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    PERFORM 1 FROM people_user WHERE id = who FOR SHARE;
    PERFORM 1 FROM {table} r WHERE r.id = record FOR SHARE;
    {_must(resource, "share")}
    IF who = hufu.actor() OR wanted NOT IN ('read', 'edit')
       OR (wanted = 'edit' AND NOT hufu.covers_{table}('{GIVING_EDIT}', record)) THEN
        {REFUSED};
    END IF;
    INSERT INTO access_team_member (type, record_id, user_id, access, role, added_at, added_by)
    SELECT '{name}', r.id, who, wanted, as_role, hufu.now(), hufu.actor() FROM {table} r
    WHERE r.id = record AND r.owner_id IS DISTINCT FROM who AND hufu.is_admitted(who, r.partition_id, wanted = 'edit')
    ON CONFLICT (type, record_id, user_id) DO UPDATE SET access = EXCLUDED.access, role = EXCLUDED.role;
    RETURN FOUND;
END $$;

-- Out of the team: by whoever may share the record, and everybody by themselves.
CREATE OR REPLACE FUNCTION hufu.leave_{table}(record bigint, who int) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    IF who IS DISTINCT FROM hufu.actor() THEN
        {_must(resource, "share")}
    END IF;
    DELETE FROM access_team_member m WHERE m.type = '{name}' AND m.record_id = record AND m.user_id = who;
    RETURN FOUND;
END $$;
"""


def _share(resource: ResourceType) -> str:
    table, name = resource.table, resource.name
    return f"""
-- A record shared by hand. Nobody gives what they do not have, and nothing to themselves; to somebody by name only
-- where they are admitted. Returns the number of the share.
CREATE OR REPLACE FUNCTION hufu.share_{table}(
    record bigint, to_user int, to_group int, to_department int, with_below boolean, to_post text,
    to_position int, to_level int, wanted text, with_superiors boolean, from_moment timestamptz, until timestamptz,
    why text, along bigint) RETURNS bigint LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM 1 FROM people_user WHERE id = to_user FOR SHARE;
    PERFORM 1 FROM {table} r WHERE r.id = record FOR SHARE;
    {_must(resource, "share")}
    IF to_user = hufu.actor() OR wanted NOT IN ('read', 'edit')
       OR (wanted = 'edit' AND NOT hufu.covers_{table}('{GIVING_EDIT}', record))
       OR (along IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM access_share s WHERE s.id = along AND s.given_by = hufu.actor())) THEN
        {REFUSED};
    END IF;
    INSERT INTO access_share (type, record_id, user_id, group_id, department_id, below, post, position_id, level_id,
                              access, superiors, starts_at, ends_at, reason, given_by, along_with_id)
    SELECT '{name}', r.id, to_user, to_group, to_department, with_below, to_post, to_position, to_level,
           wanted, with_superiors, from_moment, until, why, hufu.actor(), along
    FROM {table} r
    WHERE r.id = record
      AND (to_user IS NULL OR (r.owner_id IS DISTINCT FROM to_user
                               AND hufu.is_admitted(to_user, r.partition_id, wanted = 'edit')))
    RETURNING id INTO made;
    RETURN made;
END $$;

-- A share ends, with those that it took along: by whoever may share the record, whoever gave it, and everybody to whom
-- it was given by name. Returns what ended, as [type, number of the record].
CREATE OR REPLACE FUNCTION hufu.unshare_{table}(record bigint, share bigint) RETURNS jsonb LANGUAGE plpgsql
    {HEAD} AS $$
DECLARE
    it access_share;
    said jsonb;
BEGIN
    SELECT * INTO it FROM access_share s
    WHERE s.id = share AND s.type = '{name}' AND s.record_id = record FOR UPDATE;
    IF NOT FOUND OR (it.user_id IS DISTINCT FROM hufu.actor() AND it.given_by IS DISTINCT FROM hufu.actor()) THEN
        {_must(resource, "share")}
    END IF;
    SELECT coalesce(jsonb_agg(jsonb_build_array(s.type, s.record_id) ORDER BY s.id), '[]') INTO said
    FROM access_share s WHERE s.id = it.id OR s.along_with_id = it.id;
    DELETE FROM access_share s WHERE s.id = it.id;
    RETURN said;
END $$;
"""


def _move(resource: ResourceType) -> str:
    """A record goes to another partition with what belongs to it; the foreign keys carry the partition down."""
    table, name = resource.table, resource.name
    parents = "".join(
        f" AND r.{declared.column} IS NULL" for declared in resource.fields if declared.kind is Kind.REFERENCE
    )
    taken = "".join(
        f"""
    WITH touched AS (
        UPDATE {other.table} r SET lock_version = r.lock_version + 1, updated_at = hufu.now(),
               updated_by_id = hufu.actor()
        WHERE r.{column} = record RETURNING r.id)
    SELECT said || jsonb_build_object('{other.name}', coalesce(jsonb_agg(id ORDER BY id), '[]'))
    INTO said FROM touched;"""
        for other, column in dependents(resource)
    )
    handed = "".join(
        f"""
    WITH changed AS (
        UPDATE {other.table} r SET owner_id = new_owner, department_id = home FROM {other.table} before
        WHERE r.{column} = record AND before.id = r.id AND NOT hufu.may_own(r.owner_id, target)
        RETURNING r.id, before.owner_id)
    SELECT handed || coalesce(jsonb_agg(jsonb_build_array('{other.name}', id, owner_id)), '[]')
    INTO handed FROM changed;"""
        for other, column in dependents(resource)
        if other.parent_type is None
    )
    related = " OR ".join(
        [f"(m.type = '{name}' AND m.record_id = record)"]
        + [
            f"(m.type = '{other.name}' AND m.record_id IN (SELECT id FROM {other.table} WHERE {column} = record))"
            for other, column in dependents(resource)
            if other.parent_type is None
        ]
    )
    shared = related.replace("m.", "s.")
    held = " OR ".join(
        f"EXISTS (SELECT 1 FROM {other.table} r WHERE r.{column} = record AND NOT (true{is_open}))"
        for other, column in dependents(resource)
        if (is_open := states.is_open_sql((State.LOCKED | State.PENDING) & other.states, "r"))
    )
    return f"""
-- Into another partition, with what belongs to the record. Its owner must be admitted there, or a new one is named, who
-- also gets what belongs to people who are not. Naming another owner where this one could follow, or oneself, is a
-- transfer, too; whoever names others must be able to create for others. Memberships and shares that reach nobody
-- there end. Returns what came along; `held`, and nothing else, where something of it is locked: that stays as it is.
CREATE OR REPLACE FUNCTION hufu.move_{table}(record bigint, target int, new_owner int, version int) RETURNS jsonb
    LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    said jsonb := '{{}}';
    handed jsonb := '[]';
    ended jsonb;
    unshared jsonb;
    home int;
    owned_by int;
BEGIN
    PERFORM 1 FROM people_user WHERE id = new_owner FOR SHARE;
    SELECT main_department_id INTO home FROM people_user WHERE id = new_owner;
    {_must(resource, "move_partition")}
    SELECT r.owner_id INTO owned_by FROM {table} r WHERE r.id = record FOR UPDATE;
    IF new_owner IS DISTINCT FROM owned_by
       AND (owned_by IS NULL OR new_owner = hufu.actor() OR hufu.may_own(owned_by, target)) THEN
        {_must(resource, "transfer")}
    END IF;
    IF NOT (hufu.permission_is_open('{resource.permission("create")}') AND hufu.partition_is_open(target))
        OR NOT EXISTS (
        SELECT 1 FROM access_term t JOIN access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
        WHERE t.user_id = hufu.actor() AND t.holder_id = t.user_id AND g.permission = '{resource.permission("create")}'
          AND g.scopes <> 0
          AND NOT t.gates && hufu.closed_gates()
          AND (new_owner = hufu.actor() OR g.scopes & {Scope.EVERYTHING.value} <> 0)
          AND hufu.bit(t.create_partitions, target)) THEN
        {REFUSED};
    END IF;
    IF {held or "false"} THEN
        RETURN '{{"held": true}}';
    END IF;
    UPDATE {table} r SET partition_id = target, owner_id = new_owner, {pool_sql.leaves(resource)}{TOUCHED},
           department_id = CASE WHEN r.owner_id = new_owner THEN r.department_id ELSE home END
    WHERE r.id = record AND r.lock_version = version AND r.partition_id <> target AND home IS NOT NULL
      AND hufu.may_own(new_owner, target){parents};
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;{taken}{handed}
    WITH gone AS (
        DELETE FROM access_team_member m
        WHERE ({related}) AND NOT hufu.is_admitted(m.user_id, target, false) RETURNING m.type, m.record_id, m.user_id)
    SELECT coalesce(jsonb_agg(jsonb_build_array(type, record_id, user_id)), '[]') INTO ended FROM gone;
    WITH gone AS (
        DELETE FROM access_share s
        WHERE ({shared}) AND (s.across_by IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM hufu.recipients(hufu.principal(s.user_id, s.group_id, s.department_id, s.below, s.post,
                                                         s.position_id, s.level_id), s.superiors, s.given_by) r (id)
            WHERE hufu.is_admitted(r.id, target, false))) RETURNING s.type, s.record_id, s.id)
    SELECT coalesce(jsonb_agg(jsonb_build_array(type, record_id, id)), '[]') INTO unshared FROM gone;
    RETURN jsonb_build_object('children', said, 'handed', handed, 'ended', ended, 'unshared', unshared);
END $$;
"""


def _hand_over(resource: ResourceType) -> str:
    table, name = resource.table, resource.name
    return f"""
DROP FUNCTION IF EXISTS hufu.hand_over_{table}(int, int, boolean);
-- Records of somebody to a new owner who may own them there, or (to the same owner) just to their present department:
-- for whoever manages people, who sees none of the records. In some partitions, or (NULL) in all. Returns them as
-- [number, partition, former department].
CREATE OR REPLACE FUNCTION hufu.hand_over_{table}(former int, new_owner int, keep_department boolean,
                                                  only_partitions int[]) RETURNS jsonb
    LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    said jsonb;
    home int := (SELECT main_department_id FROM people_user WHERE id = new_owner);
    places int[];
BEGIN
    IF NOT hufu.holds('user.manage') OR hufu.actor() IN (former, new_owner) THEN
        {REFUSED};
    END IF;
    places := ARRAY(SELECT p.id FROM access_partition p
                    WHERE (only_partitions IS NULL OR p.id = ANY (only_partitions))
                      AND (former = new_owner OR hufu.may_own(new_owner, p.id)));
    WITH changed AS (
        UPDATE {table} r SET owner_id = new_owner, {TOUCHED},
               department_id = CASE WHEN keep_department THEN r.department_id ELSE home END
        FROM {table} before
        WHERE r.owner_id = former AND before.id = r.id AND home IS NOT NULL AND r.partition_id = ANY (places)
          AND (former <> new_owner OR r.department_id <> home)
        RETURNING r.id, r.partition_id, before.department_id)
    SELECT coalesce(jsonb_agg(jsonb_build_array(id, partition_id, department_id) ORDER BY id), '[]')
    INTO said FROM changed;
    DELETE FROM access_team_member m USING {table} r
    WHERE m.type = '{name}' AND m.record_id = r.id AND m.user_id = r.owner_id AND r.owner_id = new_owner;
    RETURN said;
END $$;

-- How many records somebody owns, by partition, for whoever manages people: numbers only.
CREATE OR REPLACE FUNCTION hufu.owned_{table}(who int) RETURNS TABLE (partition_id int, amount bigint)
    LANGUAGE sql STABLE {HEAD} AS
$$ SELECT r.partition_id, count(*) FROM {table} r WHERE r.owner_id = who AND hufu.holds('user.manage') GROUP BY 1 $$;

-- In the teams of how many records somebody is, by partition, for whoever manages people: numbers only.
CREATE OR REPLACE FUNCTION hufu.teams_{table}(who int) RETURNS TABLE (partition_id int, amount bigint)
    LANGUAGE sql STABLE {HEAD} AS
$$ SELECT r.partition_id, count(*) FROM access_team_member m JOIN {table} r ON r.id = m.record_id
   WHERE m.type = '{name}' AND m.user_id = who AND hufu.holds('user.manage') GROUP BY 1 $$;

-- Somebody out of all teams, for whoever manages people. Returns the records as [number, partition].
CREATE OR REPLACE FUNCTION hufu.end_teams_{table}(who int) RETURNS jsonb LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    said jsonb;
BEGIN
    IF NOT hufu.holds('user.manage') OR hufu.actor() = who THEN
        {REFUSED};
    END IF;
    WITH gone AS (
        DELETE FROM access_team_member m USING {table} r
        WHERE m.type = '{name}' AND m.user_id = who AND r.id = m.record_id RETURNING r.id, r.partition_id)
    SELECT coalesce(jsonb_agg(jsonb_build_array(id, partition_id) ORDER BY id), '[]') INTO said FROM gone;
    RETURN said;
END $$;

-- What is shared with somebody by name ends, for whoever manages people. Returns the records as [number, partition].
CREATE OR REPLACE FUNCTION hufu.end_shares_{table}(who int) RETURNS jsonb LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    said jsonb;
BEGIN
    IF NOT hufu.holds('user.manage') OR hufu.actor() = who THEN
        {REFUSED};
    END IF;
    WITH gone AS (
        DELETE FROM access_share s USING {table} r
        WHERE s.type = '{name}' AND s.user_id = who AND r.id = s.record_id RETURNING r.id, r.partition_id)
    SELECT coalesce(jsonb_agg(jsonb_build_array(id, partition_id) ORDER BY id), '[]') INTO said FROM gone;
    RETURN said;
END $$;
"""


def _recipients(resource: ResourceType, need: Need) -> str:
    """Return the SQL array of those whom shares of the record `r`, and rules about it, reach for a need."""
    if need.share is Share.NONE:
        return "'{}'"
    editing = " AND s.access = 'edit'" if need.share is Share.EDIT else ""
    tasks = f" UNION ALL SELECT t.user_id FROM access_task t WHERE t.type = '{resource.name}' AND t.record_id = r.id"
    return (
        "ARRAY(SELECT hufu.recipients(s.principal, s.superiors, s.given_by) FROM hufu.shares s"
        f" WHERE s.type = '{resource.name}' AND s.record_id = r.id{editing}"
        f"{tasks if need.share is Share.READ else ''} UNION ALL {rule_sql.recipients(resource, 'r', need.share)})"
    )


def _who(resource: ResourceType) -> str:
    """Who may: for whoever may edit the record inside the wall or explains rights. Reach past a time limit is rebuilt
    first.

    Somebody's own terms tell why before those of others for whom they stand in, and these before break-glass.
    """
    table, name = resource.table, resource.name
    chosen = []
    for declared in resource.permissions:
        if not registry.is_about_records(declared.name):
            continue
        needs = registry.requirement(declared.name).needs
        joined = "\n        JOIN ".join(
            f"hufu.who_covers('{need.permission}', '{need.right}', {int(need.share)}, '{name}', r.id, r.partition_id,"
            f" r.owner_id, r.department_id, {_recipients(resource, need)}, {pool_sql.members(need, 'r')},"
            f" {crossing_sql.let_across(resource, need)}) n{index}"
            + (" USING (user_id, holder_id)" if index else " ON true")
            for index, need in enumerate(needs)
        )
        last = len(needs) - 1
        closed_in = needs[0].closed_in | needs[last].closed_in
        state = "IS NOT NULL" if registry.requirement(declared.name).of_bin else "IS NULL"
        state += " AND r.pool_id IS NOT NULL" if registry.requirement(declared.name).of_pool else ""
        chosen.append(
            f"""
    WHEN '{declared.name}' THEN RETURN QUERY
        SELECT DISTINCT ON (n0.user_id) n0.user_id, n{last}.scope FROM {table} r JOIN {joined}
        WHERE r.id = record AND r.deleted_at {state}{states.is_open_sql(closed_in, "r")}
        ORDER BY n0.user_id, n0.holder_id <> n0.user_id, n0.holder_id < 0, n0.holder_id;"""
        )
    return f"""
CREATE OR REPLACE FUNCTION hufu.who_{table}(wanted text, record bigint) RETURNS TABLE (user_id int, scope smallint)
    LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    IF NOT (hufu.holds('explain.any') OR hufu.covers_{table}('{resource.permission("edit")} {INSIDE}', record)) THEN
        {REFUSED};
    END IF;
    PERFORM hufu.freshen_everybody();
    CASE wanted{"".join(chosen)}
    ELSE
        RETURN;
    END CASE;
END $$;
"""
