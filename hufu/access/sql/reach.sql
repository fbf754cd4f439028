-- Reach: what somebody may reach, derived from facts and policy. Only these functions write it.
-- Scope bits: 1 own, 2 team, 4 direct reports, 8 subordinates, 16 department, 32 department and below, 64 everything.
-- Every scope includes own. An unknown scope is nothing.

CREATE OR REPLACE FUNCTION hufu.scope_bit(scope text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (CASE scope WHEN 'own' THEN 1 WHEN 'team' THEN 3 WHEN 'direct_reports' THEN 5 WHEN 'subordinates' THEN 9
           WHEN 'department' THEN 17 WHEN 'department_and_below' THEN 33 WHEN 'everything' THEN 65 ELSE 0 END)::smallint $$;

-- The gate of the person: an active account, or a system actor that is declared.
CREATE OR REPLACE FUNCTION hufu.is_active(who int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE WHEN who > 0 THEN EXISTS (SELECT 1 FROM people_user WHERE id = who AND status = 'active')
               ELSE EXISTS (SELECT 1 FROM access_system_actor WHERE id = who) END $$;

-- One text per principal: what a gift is given to, and what a user stands for, meet in it. The casts keep it immutable, so
-- that it is put in where it is called.
DROP FUNCTION IF EXISTS hufu.is_given_to_me(int, int, boolean, int);
DROP VIEW IF EXISTS hufu.built_prohibitions, hufu.user_prohibitions, hufu.prohibitions, hufu.built_assignments, hufu.user_assignments,
    hufu.built_admissions, hufu.user_admissions, hufu.principals, hufu.held_levels;
CREATE OR REPLACE FUNCTION hufu.principal(to_user int, to_group int, to_department int, with_below boolean, to_post text,
                                          to_position int, to_level int)
    RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE
       WHEN to_user IS NOT NULL THEN 'user:' || to_user::text
       WHEN to_group IS NOT NULL THEN 'group:' || to_group::text
       WHEN to_position IS NOT NULL THEN 'position:' || to_position::text
       WHEN to_level IS NOT NULL THEN 'level:' || to_level::text
       ELSE 'department:' || to_department::text || CASE WHEN to_post = '' THEN '' ELSE '.' || to_post END
            || CASE WHEN with_below THEN '+' ELSE '' END END $$;

-- What each user stands for: themselves, their groups, positions, departments and posts, the levels that theirs holds.
CREATE OR REPLACE VIEW hufu.principals AS
    SELECT id AS user_id, 'user:' || id AS principal FROM public.people_user
    UNION ALL
    SELECT user_id, 'group:' || group_id FROM public.people_group_member
    UNION ALL
    SELECT user_id, 'position:' || position_id FROM public.people_position_holder
    UNION ALL
    SELECT u.id, 'level:' || h.held_id FROM public.people_user u JOIN hufu.levels_held h ON h.level_id = u.level_id
    UNION ALL
    -- Exactly that level: what a prohibition of a level binds. Nothing is given to this.
    SELECT id, 'level:' || level_id || '=' FROM public.people_user WHERE level_id IS NOT NULL
    UNION ALL
    SELECT user_id, 'department:' || department_id FROM hufu.members
    UNION ALL
    SELECT DISTINCT user_id, 'department:' || department_id || '.' || post FROM public.people_department_post
    UNION ALL
    SELECT DISTINCT o.user_id, 'department:' || b.department_id || o.post || '+'
    FROM (SELECT user_id, department_id, '' AS post FROM hufu.members
          UNION ALL
          SELECT user_id, department_id, '.' || post FROM public.people_department_post) o
    JOIN hufu.departments_below b ON b.below_id = o.department_id;

CREATE OR REPLACE VIEW hufu.user_assignments AS
    SELECT p.user_id, a.role_id, a.starts_at, a.ends_at
    FROM public.access_assignment a
    JOIN hufu.principals p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id);

CREATE OR REPLACE VIEW hufu.user_admissions AS
    SELECT p.user_id, a.partition_id, a.can_create, a.can_edit, a.can_delete, a.starts_at, a.ends_at
    FROM public.access_admission a
    JOIN hufu.principals p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id);

-- Does a prohibition ("customer.edit", or "customer.*" for all of a type) name this permission?
CREATE OR REPLACE FUNCTION hufu.names_permission(forbidden text, permission text) RETURNS boolean LANGUAGE sql IMMUTABLE
    PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT forbidden = permission OR (right(forbidden, 2) = '.*' AND starts_with(permission, left(forbidden, -1))) $$;

-- What each prohibition binds: a principal; of a level exactly those who stand on it.
CREATE OR REPLACE VIEW hufu.prohibitions AS
    SELECT hufu.principal(a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
           || CASE WHEN a.level_id IS NULL THEN '' ELSE '=' END AS principal, a.permission, a.starts_at, a.ends_at
    FROM public.access_prohibition a;
CREATE OR REPLACE VIEW hufu.user_prohibitions AS
    SELECT p.user_id, a.permission, a.starts_at, a.ends_at
    FROM hufu.prohibitions a JOIN hufu.principals p ON p.principal = a.principal;
-- What base access opens to those who hold the permission at any scope.
CREATE OR REPLACE VIEW hufu.opened_permissions AS
    SELECT type || '.view' AS permission FROM public.access_base_access WHERE access IN ('public_read', 'public_read_write')
    UNION ALL
    SELECT type || '.edit' FROM public.access_base_access WHERE access = 'public_read_write';

-- The roles that hold view of a type, themselves or by what they inherit: their field rules for it count.
CREATE OR REPLACE VIEW hufu.viewing_roles AS
    WITH RECURSIVE viewing (role_id, type) AS (
        SELECT role_id, split_part(permission, '.', 1) FROM public.access_grant
        WHERE split_part(permission, '.', 2) = 'view' AND hufu.scope_bit(scope) <> 0
        UNION
        SELECT i.role_id, v.type FROM viewing v JOIN public.access_role_inherits i ON i.inherits_id = v.role_id)
    SELECT role_id, type FROM viewing;

-- How much a field rule opens: 0 hidden, 1 masked, 2 read only, 3 editable. An unknown word is hidden.
CREATE OR REPLACE FUNCTION hufu.field_level(access text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (CASE access WHEN 'masked' THEN 1 WHEN 'read_only' THEN 2 WHEN 'editable' THEN 3 ELSE 0 END)::smallint $$;

-- Two sets of gates as one, in order.
CREATE OR REPLACE FUNCTION hufu.united(given int[], more int[]) RETURNS int[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT CASE WHEN more IS NULL THEN given
          ELSE (SELECT array_agg(DISTINCT gate ORDER BY gate) FROM unnest(given || more) gate) END $$;

-- Make reach true now for a transaction that changed facts or policy; without such a change it does nothing.
CREATE OR REPLACE FUNCTION hufu.settle_reach() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    gave_roles boolean;
    changed int;
BEGIN
    DELETE FROM access_reach_stale WHERE transaction = pg_current_xact_id()::text::bigint RETURNING parts INTO changed;
    IF FOUND THEN
        PERFORM hufu.check_release();
        gave_roles := EXISTS (SELECT 1 FROM access_term_grant WHERE permission = 'role.assign' AND user_id > 0);
        PERFORM hufu.rebuild_reach(NULL, changed);
        -- What must be true of everybody, whatever was changed (sql/duties.sql).
        PERFORM hufu.check_duties(), hufu.check_administrators(), hufu.check_last_security(gave_roles);
        RETURN true;
    END IF;
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION hufu.settle_at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM hufu.settle_reach();
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS settle ON public.access_reach_stale;
CREATE CONSTRAINT TRIGGER settle AFTER INSERT ON public.access_reach_stale
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hufu.settle_at_commit();

CREATE OR REPLACE FUNCTION hufu.is_fresh(who int) RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_reach
                  WHERE user_id = who AND (valid_until IS NULL OR valid_until > hufu.now())) $$;

-- Before somebody acts: rebuild their reach when it is missing or past a time limit.
CREATE OR REPLACE FUNCTION hufu.freshen_reach(who int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM hufu.rule_freshen();
    IF NOT hufu.is_fresh(who) THEN
        PERFORM pg_advisory_xact_lock(7252, 1);
        IF NOT hufu.is_fresh(who) THEN
            -- Time changes what somebody was given, not what they are.
            PERFORM hufu.rebuild_reach(ARRAY[who], CASE WHEN EXISTS (SELECT 1 FROM access_reach WHERE user_id = who)
                                                        THEN 6 ELSE 7 END);
        END IF;
    END IF;
END $$;

-- Before everybody is asked about: rebuild the reach of all that are past a time limit.
CREATE OR REPLACE FUNCTION hufu.freshen_everybody() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    moment timestamptz := hufu.now();
    stale int[] := (SELECT array_agg(u.id) FROM people_user u LEFT JOIN access_reach r ON r.user_id = u.id
                    WHERE r.user_id IS NULL OR r.valid_until <= moment);
BEGIN
    PERFORM hufu.rule_freshen();
    IF stale IS NOT NULL THEN
        PERFORM hufu.rebuild_reach(stale);
    END IF;
END $$;

-- Which active people cover a record for one permission, and by which scope, the narrowest; 128 where it is shared with
-- them and no scope holds it or the share reaches them across the wall, 256 where they are members of its pool and nothing
-- else does; by themselves, or as those who stand in for a holder. Only the checks of each type ask this: it tells the
-- reach of everybody.
DROP FUNCTION IF EXISTS hufu.who_covers(text, text, int, text, bigint, int, int, int);
DROP FUNCTION IF EXISTS hufu.who_covers(text, text, int, text, bigint, int, int, int, int[]);
DROP FUNCTION IF EXISTS hufu.who_covers(text, text, int, text, bigint, int, int, int, int[], int[]);
CREATE OR REPLACE FUNCTION hufu.who_covers(wanted text, wanted_right text, wanted_share int, of_type text, record bigint,
                                           in_partition int, of_owner int, of_department int, shared int[],
                                           pool_members int[], across int[])
    RETURNS TABLE (user_id int, holder_id int, scope smallint) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT who.user_id, who.holder_id, min(who.scope)::smallint FROM (
        SELECT t.user_id, t.holder_id, CASE
            WHEN NOT place.is_open THEN CASE WHEN t.holder_id = t.user_id AND t.user_id = ANY (across) THEN 128 END
            WHEN of_owner = CASE WHEN t.holder_id < 0 THEN t.user_id ELSE t.holder_id END THEN 1
            WHEN m.access IS NOT NULL AND (g.scopes & 2 <> 0 OR wanted_share = 1 OR wanted_share = 2 AND m.access = 'edit') THEN 2
            WHEN of_owner IS NOT NULL AND g.scopes & 4 <> 0 AND hufu.bit(t.reports, of_owner) THEN 4
            WHEN of_owner IS NOT NULL AND g.scopes & 8 <> 0 AND hufu.bit(t.owners, of_owner) THEN 8
            WHEN of_owner IS NOT NULL AND g.scopes & 16 <> 0 AND hufu.bit(t.departments, of_department) THEN 16
            WHEN of_owner IS NOT NULL AND g.scopes & 32 <> 0 AND hufu.bit(t.departments_below, of_department) THEN 32
            WHEN g.scopes & 64 <> 0 THEN 64
            WHEN t.holder_id = t.user_id AND t.user_id = ANY (shared) THEN 128
            WHEN t.holder_id = t.user_id AND t.user_id = ANY (pool_members) THEN 256 END AS scope
        FROM access_term_grant g
        JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
        JOIN people_user u ON u.id = t.user_id AND u.status = 'active'
        LEFT JOIN access_team_member m ON m.type = of_type AND m.record_id = record AND m.user_id = t.user_id
            AND t.holder_id = t.user_id
        CROSS JOIN LATERAL (SELECT coalesce(hufu.bit(
            CASE wanted_right WHEN 'read' THEN t.read_partitions WHEN 'create' THEN t.create_partitions
                 WHEN 'edit' THEN t.edit_partitions WHEN 'delete' THEN t.delete_partitions END, in_partition),
            false) AS is_open) place
        WHERE g.permission = wanted AND g.scopes <> 0) who
    WHERE who.scope IS NOT NULL GROUP BY who.user_id, who.holder_id $$;

-- Shares by hand. What one is given to meets what people stand for in one text; whoever gave it gains nothing by it.
CREATE INDEX IF NOT EXISTS access_share_to ON public.access_share
    (hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id), type);
CREATE INDEX IF NOT EXISTS access_share_to_superiors ON public.access_share
    (hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id), type) WHERE superiors;
CREATE OR REPLACE VIEW hufu.shares AS
    SELECT s.id, s.type, s.record_id, s.access, s.superiors, s.given_by,
           hufu.principal(s.user_id, s.group_id, s.department_id, s.below, s.post, s.position_id, s.level_id) AS principal,
           s.user_id, s.across_by
    FROM public.access_share s
    WHERE (s.starts_at IS NULL OR s.starts_at <= hufu.now()) AND (s.ends_at IS NULL OR s.ends_at > hufu.now());

-- The records of a type that were shared with the actor. ROWS: as many as are usual, or the planner takes the row policy
-- for so dear that it reads a whole partition before it.
CREATE OR REPLACE FUNCTION hufu.my_shares(of_type text) RETURNS TABLE (record_id bigint, access text)
    LANGUAGE sql STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT s.record_id, s.access FROM hufu.shares s
    JOIN access_principal p ON p.principal = s.principal AND p.user_id = hufu.actor()
    WHERE s.type = of_type AND s.given_by <> hufu.actor()
    UNION ALL
    SELECT s.record_id, s.access FROM hufu.shares s
    WHERE s.type = of_type AND s.given_by <> hufu.actor() AND s.superiors AND s.principal IN (
        SELECT p.principal FROM access_term mine CROSS JOIN LATERAL unnest(hufu.numbers(mine.owners)) below
        JOIN access_principal p ON p.user_id = below
        WHERE mine.user_id = hufu.actor() AND mine.term = 0)
    UNION ALL
    -- A pending task is a share of view with whoever has it.
    SELECT t.record_id, 'read' FROM access_task t WHERE t.type = of_type AND t.user_id = hufu.actor() $$;

-- The same of some records alone; of all without any.
CREATE OR REPLACE FUNCTION hufu.my_shares(of_type text, records bigint[]) RETURNS TABLE (record_id bigint, access text)
    LANGUAGE plpgsql STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp
    SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    IF records IS NULL THEN
        RETURN QUERY SELECT s.record_id, s.access FROM hufu.my_shares(of_type) s;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT s.record_id, s.access::text FROM hufu.shares s
    WHERE s.type = of_type AND s.record_id = ANY (records) AND s.given_by <> hufu.actor()
      AND (EXISTS (SELECT 1 FROM access_principal p WHERE p.user_id = hufu.actor() AND p.principal = s.principal)
           OR (s.superiors AND EXISTS (
               SELECT 1 FROM access_term mine JOIN access_principal p ON hufu.bit(mine.owners, p.user_id)
               WHERE mine.user_id = hufu.actor() AND mine.term = 0 AND p.principal = s.principal)))
    UNION ALL
    SELECT t.record_id, 'read' FROM access_task t
    WHERE t.type = of_type AND t.user_id = hufu.actor() AND t.record_id = ANY (records);
END $$;

-- Was so much of a type shared with the actor that it takes long to read all of it?
CREATE OR REPLACE FUNCTION hufu.has_many_shares(of_type text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN hufu.shared_about(of_type) > 1000;
END $$;

-- The records of a type to which a share lets the actor through the wall.
CREATE INDEX IF NOT EXISTS access_share_across ON public.access_share (user_id, type) WHERE across_by IS NOT NULL;
CREATE OR REPLACE FUNCTION hufu.my_crossings(of_type text) RETURNS TABLE (record_id bigint, access text)
    LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT s.record_id, s.access FROM hufu.shares s
   WHERE s.type = of_type AND s.user_id = hufu.actor() AND s.across_by IS NOT NULL AND s.given_by <> hufu.actor() $$;

-- Whom a share reaches: those who stand for its principal and, where superiors do too, those above them.
CREATE OR REPLACE FUNCTION hufu.recipients(to_whom text, superiors boolean, given_by int) RETURNS SETOF int
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE reached AS (
        SELECT p.user_id FROM access_principal p WHERE p.principal = to_whom
        UNION
        SELECT u.manager_id FROM reached JOIN people_user u ON u.id = reached.user_id
        WHERE superiors AND u.manager_id IS NOT NULL)
    SELECT user_id FROM reached WHERE user_id <> given_by $$;

-- What is given to somebody by name, for whoever manages people: when the person moves, they say what ends. What has
-- ended stays as it was.
DROP FUNCTION IF EXISTS hufu.end_memberships(int);
CREATE OR REPLACE FUNCTION hufu.gifts_of(who int)
    RETURNS TABLE (kind text, id bigint, key text, name text, starts_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT 'role', a.id, r.key, r.name, a.starts_at, a.ends_at
   FROM access_assignment a JOIN access_role r ON r.id = a.role_id
   WHERE a.user_id = who AND (a.ends_at IS NULL OR a.ends_at > hufu.now()) AND hufu.holds('user.manage')
   UNION ALL
   SELECT 'partition', a.id, p.key, p.name, a.starts_at, a.ends_at
   FROM access_admission a JOIN access_partition p ON p.id = a.partition_id
   WHERE a.user_id = who AND (a.ends_at IS NULL OR a.ends_at > hufu.now()) AND hufu.holds('user.manage') $$;

-- End some of what was given to somebody by name: only ever less, so managing people suffices.
CREATE OR REPLACE FUNCTION hufu.drop_gifts(who int, assignments bigint[], admissions bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT hufu.holds('user.manage') OR hufu.actor() = who THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM access_assignment WHERE user_id = who AND id = ANY (assignments);
    DELETE FROM access_admission WHERE user_id = who AND id = ANY (admissions);
END $$;

-- Does this active person hold the permission, and nobody else who is active? For whoever manages people.
CREATE OR REPLACE FUNCTION hufu.alone_holds(who int, wanted text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.holds('user.manage') AND coalesce(array_agg(DISTINCT g.user_id) = ARRAY[who], false)
   FROM access_term_grant g JOIN people_user u ON u.id = g.user_id AND u.status = 'active'
   WHERE g.permission = wanted AND g.scopes <> 0 $$;

-- Is this user active, and admitted to read (or also to edit) here? Reach past a time limit is not asked: nobody but
-- its owner's next request rebuilds it.
CREATE OR REPLACE FUNCTION hufu.is_admitted(who int, partition int, to_edit boolean) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.is_active(who) AND CASE
       WHEN hufu.is_fresh(who)
       THEN EXISTS (SELECT 1 FROM access_term t WHERE t.user_id = who AND t.holder_id = who
                    AND hufu.bit(CASE WHEN to_edit THEN t.edit_partitions ELSE t.read_partitions END, partition))
       ELSE EXISTS (SELECT 1 FROM hufu.user_admissions a
                    WHERE a.user_id = who AND a.partition_id = partition AND (a.can_edit OR NOT to_edit)
                      AND (a.starts_at IS NULL OR a.starts_at <= hufu.now())
                      AND (a.ends_at IS NULL OR a.ends_at > hufu.now())) END $$;

-- May this user own records here? Active, and admitted to read and edit.
CREATE OR REPLACE FUNCTION hufu.may_own(who int, partition int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.is_admitted(who, partition, true) $$;

-- The principals that the actor stands for, and those for whom they stand in: what is given there comes to them, too.
CREATE OR REPLACE FUNCTION hufu.my_principals() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT principal FROM hufu.principals WHERE user_id = hufu.actor() OR user_id IN (SELECT hufu.my_delegators()) $$;

-- The roles that the actor, or somebody for whom they stand in, holds by whatever way, now or at another time.
CREATE OR REPLACE FUNCTION hufu.roles_held() RETURNS int[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ WITH RECURSIVE held AS (
       SELECT a.role_id FROM access_assignment a
       WHERE hufu.principal(a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
             IN (SELECT hufu.my_principals())
       UNION
       SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.role_id)
   SELECT coalesce(array_agg(role_id), '{}') FROM held $$;

CREATE OR REPLACE FUNCTION hufu.holds_role(wanted int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT wanted = ANY (hufu.roles_held()) $$;
