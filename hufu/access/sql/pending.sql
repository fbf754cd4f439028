-- Organisation facts are grants: what would add a right, an admission or a record waits for a security administrator.
-- Compared is what people stand for and whom they stand above, as reach was last built and as the facts are now: times
-- play no part, and what is given with a later start counts as what is given.

-- What opens records to a principal besides roles and admissions.
CREATE OR REPLACE VIEW hufu.opening_principals AS
    SELECT principal FROM hufu.shares
    UNION ALL
    SELECT hufu.principal(t.user_id, t.group_id, t.department_id, t.below, t.post, t.position_id, t.level_id)
    FROM public.access_rule_to t;
CREATE OR REPLACE VIEW hufu.opening_to_superiors AS
    SELECT principal FROM hufu.shares WHERE superiors
    UNION ALL
    SELECT hufu.principal(t.user_id, t.group_id, t.department_id, t.below, t.post, t.position_id, t.level_id)
    FROM public.access_rule_to t JOIN public.access_rule r ON r.id = t.rule_id WHERE r.superiors;

-- Was this department made in this transaction?
CREATE OR REPLACE FUNCTION hufu.is_new_department(wanted int) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    mine bigint := (SELECT number FROM access_change WHERE transaction = pg_current_xact_id_if_assigned()::text::bigint);
BEGIN
    RETURN mine IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM people_department WHERE id = wanted AND from_change < mine)
       AND NOT EXISTS (SELECT 1 FROM people_department_history WHERE id = wanted AND from_change < mine);
END $$;

-- Who stands for what anew, that something hangs on which they do not hold already; whose colleagues' or departments'
-- records come within a scope that they hold. `thing` is the colleague's or department's number. And who stands no longer
-- for what a prohibition binds, where no other says the same of them: whether or not they hold by now what it names.
CREATE OR REPLACE FUNCTION hufu.gained()
    RETURNS TABLE (user_id int, kind text, thing int, principal text, permission text, partition_id int)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE after AS MATERIALIZED (SELECT DISTINCT p.user_id, p.principal FROM hufu.principals p),
    fresh AS MATERIALIZED (
        SELECT a.user_id, a.principal FROM after a EXCEPT SELECT b.user_id, b.principal FROM access_principal b),
    -- Closed accounts, too: whoever comes back is bound by what bound them.
    lost AS MATERIALIZED (
        SELECT b.user_id, b.principal FROM access_principal b
        WHERE EXISTS (SELECT 1 FROM access_prohibition)
        EXCEPT SELECT a.user_id, a.principal FROM after a),
    forbidden AS MATERIALIZED (
        SELECT p.principal, p.permission, coalesce(p.starts_at, '-infinity') AS begins, coalesce(p.ends_at, 'infinity') AS ends
        FROM hufu.prohibitions p WHERE p.ends_at IS NULL OR p.ends_at > hufu.now()),
    line (boss, below) AS (
        SELECT manager_id, id FROM people_user WHERE manager_id IS NOT NULL
        UNION
        SELECT line.boss, u.id FROM line JOIN people_user u ON u.manager_id = line.below),
    -- Whoever, or whatever department, was not there before has no records yet.
    seen AS MATERIALIZED (
        SELECT l.boss AS user_id, 8 AS bit, 'person' AS kind, l.below AS thing
        FROM line l JOIN access_reach known ON known.user_id = l.below
        LEFT JOIN access_term t ON t.user_id = l.boss AND t.term = 0 WHERE NOT coalesce(hufu.bit(t.owners, l.below), false)
        UNION ALL
        SELECT u.manager_id, 4, 'person', u.id
        FROM people_user u JOIN access_reach known ON known.user_id = u.id
        LEFT JOIN access_term t ON t.user_id = u.manager_id AND t.term = 0
        WHERE u.manager_id IS NOT NULL AND NOT coalesce(hufu.bit(t.reports, u.id), false)
        UNION ALL
        SELECT m.user_id, 16, 'department', m.department_id
        FROM hufu.members m LEFT JOIN access_term t ON t.user_id = m.user_id AND t.term = 0
        WHERE NOT coalesce(hufu.bit(t.departments, m.department_id), false) AND NOT hufu.is_new_department(m.department_id)
        UNION ALL
        SELECT m.user_id, 32, 'department', b.below_id
        FROM hufu.members m JOIN hufu.departments_below b ON b.department_id = m.department_id
        LEFT JOIN access_term t ON t.user_id = m.user_id AND t.term = 0
        WHERE NOT coalesce(hufu.bit(t.departments_below, b.below_id), false) AND NOT hufu.is_new_department(b.below_id)),
    role_gates AS (
        SELECT role_id, array_agg(DISTINCT gate_id ORDER BY gate_id) AS gates
        FROM access_gate_use WHERE role_id IS NOT NULL GROUP BY role_id),
    down (top, role_id, gates) AS (
        SELECT r.id, r.id, hufu.united('{}', g.gates) FROM access_role r LEFT JOIN role_gates g ON g.role_id = r.id
        UNION
        SELECT down.top, i.inherits_id, hufu.united(down.gates, g.gates)
        FROM down JOIN access_role_inherits i ON i.role_id = down.role_id
        LEFT JOIN role_gates g ON g.role_id = i.inherits_id),
    hanging AS MATERIALIZED (
        SELECT hufu.principal(a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id) AS principal,
               g.permission, NULL::int AS partition_id, hufu.scope_bit(g.scope)::int AS bits, down.gates,
               coalesce(a.starts_at, '-infinity') AS begins, coalesce(a.ends_at, 'infinity') AS ends
        FROM access_assignment a JOIN down ON down.top = a.role_id JOIN access_grant g ON g.role_id = down.role_id
        WHERE a.ends_at IS NULL OR a.ends_at > hufu.now()
        UNION ALL
        SELECT hufu.principal(a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id),
               NULL, a.partition_id, 1 + 2 * a.can_create::int + 4 * a.can_edit::int + 8 * a.can_delete::int, '{}',
               coalesce(a.starts_at, '-infinity'), coalesce(a.ends_at, 'infinity')
        FROM access_admission a WHERE a.ends_at IS NULL OR a.ends_at > hufu.now()),
    concerned AS MATERIALIZED (SELECT f.user_id FROM fresh f UNION SELECT s.user_id FROM seen s),
    held AS MATERIALIZED (
        SELECT a.user_id, a.principal, h.permission, h.partition_id, h.bits, h.gates, h.begins, h.ends,
               f.principal IS NOT NULL AS is_fresh
        FROM concerned c JOIN after a ON a.user_id = c.user_id JOIN hanging h ON h.principal = a.principal
        LEFT JOIN fresh f ON f.user_id = a.user_id AND f.principal = a.principal)
    SELECT n.user_id, 'principal', NULL::int, n.principal, n.permission, n.partition_id
    FROM held n WHERE n.is_fresh AND NOT EXISTS (
        SELECT 1 FROM held o
        WHERE o.user_id = n.user_id AND NOT o.is_fresh AND o.permission IS NOT DISTINCT FROM n.permission
          AND o.partition_id IS NOT DISTINCT FROM n.partition_id AND o.bits & n.bits = n.bits AND o.gates <@ n.gates
          AND o.begins <= greatest(n.begins, hufu.now()) AND o.ends >= n.ends)
    UNION
    SELECT f.user_id, 'principal', NULL, f.principal, NULL, NULL
    FROM fresh f WHERE EXISTS (SELECT 1 FROM hufu.opening_principals o WHERE o.principal = f.principal)
    UNION
    SELECT s.user_id, s.kind, s.thing, NULL, h.permission, NULL
    FROM seen s JOIN held h ON h.user_id = s.user_id AND h.permission IS NOT NULL AND h.bits & s.bit <> 0
    WHERE NOT EXISTS (
        SELECT 1 FROM held o WHERE o.user_id = s.user_id AND o.permission = h.permission AND o.bits & 64 <> 0
          AND o.gates = '{}' AND o.begins <= hufu.now() AND o.ends = 'infinity')
    UNION
    SELECT s.user_id, s.kind, s.thing, NULL, NULL, NULL
    FROM seen s JOIN access_principal p ON p.user_id = s.thing
    JOIN hufu.opening_to_superiors shared ON shared.principal = p.principal
    WHERE s.bit = 8
    UNION
    SELECT l.user_id, 'prohibition', NULL, l.principal, q.permission, NULL
    FROM lost l JOIN forbidden q ON q.principal = l.principal
    WHERE NOT EXISTS (
        SELECT 1 FROM after a JOIN forbidden o ON o.principal = a.principal
        WHERE a.user_id = l.user_id AND hufu.names_permission(o.permission, q.permission)
          AND o.begins <= greatest(q.begins, hufu.now()) AND o.ends >= q.ends) $$;

-- Did a security administrator approve beforehand that somebody comes to this? `wanted` is the number of the group or
-- position; department, level and manager are as they stand now.
CREATE OR REPLACE FUNCTION hufu.is_approved(who int, of_field text, wanted int DEFAULT NULL) RETURNS boolean LANGUAGE sql
    STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM access_approved_move m JOIN people_user u ON u.id = who
        WHERE m.anything OR (
            (m.department_id IS NULL OR u.main_department_id = m.department_id OR m.below AND EXISTS (
                SELECT 1 FROM hufu.departments_below b
                WHERE b.department_id = m.department_id AND b.below_id = u.main_department_id))
            AND (m.level_id IS NULL OR EXISTS (
                SELECT 1 FROM hufu.levels_held h WHERE h.level_id = m.level_id AND h.held_id = u.level_id))
            AND (m.position_id IS NULL OR EXISTS (
                SELECT 1 FROM people_position_holder h WHERE h.position_id = m.position_id AND h.user_id = who))
            AND (m.group_id IS NULL OR EXISTS (
                SELECT 1 FROM people_group_member g WHERE g.group_id = m.group_id AND g.user_id = who))
            AND CASE of_field
                WHEN 'department' THEN m.department_id IS NOT NULL
                WHEN 'level' THEN m.level_id IS NOT NULL
                WHEN 'position' THEN m.position_id = wanted
                WHEN 'group' THEN m.group_id = wanted
                WHEN 'manager' THEN m.manager AND EXISTS (
                    SELECT 1 FROM people_department_post p
                    JOIN hufu.departments_below b ON b.department_id = p.department_id AND b.below_id = u.main_department_id
                    WHERE p.post = 'head' AND p.user_id = u.manager_id)
                ELSE false END)) $$;

-- What is gained and was not approved beforehand.
CREATE OR REPLACE FUNCTION hufu.gained_unapproved()
    RETURNS TABLE (user_id int, kind text, thing int, principal text, permission text, partition_id int)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT g.* FROM hufu.gained() g LEFT JOIN people_user u ON u.id = g.user_id
    WHERE NOT CASE
        WHEN EXISTS (SELECT 1 FROM access_approved_move WHERE anything) THEN true
        -- A combination approves what somebody comes to, not what they get away from.
        WHEN g.kind = 'prohibition' THEN false
        WHEN g.kind = 'department' THEN hufu.is_approved(g.user_id, 'department') AND EXISTS (
            SELECT 1 FROM hufu.departments_below b
            WHERE b.department_id = u.main_department_id AND b.below_id = g.thing)
        WHEN g.kind = 'person' THEN EXISTS (
            -- Somebody on the way from the colleague up to whoever gains has an approved manager.
            WITH RECURSIVE way (id) AS (
                SELECT g.thing
                UNION
                SELECT v.manager_id FROM way JOIN people_user v ON v.id = way.id
                WHERE v.manager_id IS NOT NULL AND v.manager_id <> g.user_id)
            SELECT 1 FROM way WHERE hufu.is_approved(way.id, 'manager'))
        WHEN g.principal LIKE 'level:%' THEN hufu.is_approved(g.user_id, 'level')
        WHEN g.principal LIKE 'group:%' THEN hufu.is_approved(g.user_id, 'group', split_part(g.principal, ':', 2)::int)
        WHEN g.principal LIKE 'position:%' THEN
            hufu.is_approved(g.user_id, 'position', split_part(g.principal, ':', 2)::int)
        WHEN g.principal LIKE 'department:%' AND g.principal NOT LIKE '%.%' THEN
            hufu.is_approved(g.user_id, 'department') AND EXISTS (
                SELECT 1 FROM hufu.departments_below b
                WHERE b.department_id = rtrim(split_part(g.principal, ':', 2), '+')::int
                  AND b.below_id = u.main_department_id)
        ELSE false END $$;

-- Do changes by the actor wait at all? Not before the first version; whoever may give roles without a limit has released
-- what they do; the owner of the tables installs and repairs.
CREATE OR REPLACE FUNCTION hufu.changes_wait() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM access_version) AND NOT hufu.holds('role.assign')
       AND NOT pg_has_role(session_user, 'hufu_owner', 'USAGE') $$;

-- Is this department the one that a principal names, or (with those below) below it?
CREATE OR REPLACE FUNCTION hufu.is_at_or_below(department int, principal text) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (
       SELECT 1 FROM hufu.departments_below b
       WHERE b.department_id = rtrim(split_part(split_part(principal, ':', 2), '.', 1), '+')::int AND b.below_id = department
         AND (b.department_id = b.below_id OR right(principal, 1) = '+')) $$;

-- Asked before reach is made true: nobody writes past the deeds what has to wait.
CREATE OR REPLACE FUNCTION hufu.check_release() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF hufu.changes_wait() AND EXISTS (SELECT 1 FROM hufu.gained_unapproved()) THEN
        RAISE EXCEPTION 'this would add rights and waits for release' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Write facts, each as {field, user, department, value}, and with `leaves` what somebody is taken out of; only the
-- functions below call it.
CREATE OR REPLACE FUNCTION hufu.write_facts(facts jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 1);
    UPDATE people_department d SET parent_id = f.value
    FROM jsonb_to_recordset(facts) AS f(field text, department int, value int)
    WHERE f.field = 'parent' AND d.id = f.department;
    UPDATE people_user u SET
        main_department_id = CASE WHEN f.departments IS NULL THEN u.main_department_id ELSE f.departments[1] END,
        level_id = CASE WHEN f.levels IS NULL THEN u.level_id ELSE f.levels[1] END
    FROM (SELECT "user", array_agg(value) FILTER (WHERE field = 'department') AS departments,
                 array_agg(value) FILTER (WHERE field = 'level') AS levels
          FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int)
          WHERE field IN ('department', 'level') GROUP BY 1) f
    WHERE u.id = f."user";
    -- First cut, then draw: each row is looked at against the line as it stands.
    UPDATE people_user u SET manager_id = NULL
    FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int) WHERE f.field = 'manager' AND u.id = f."user";
    UPDATE people_user u SET manager_id = f.value
    FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int) WHERE f.field = 'manager' AND u.id = f."user";
    INSERT INTO people_membership (user_id, department_id)
    SELECT "user", value FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE field = 'other_department' AND leaves IS NOT TRUE ON CONFLICT DO NOTHING;
    INSERT INTO people_group_member (user_id, group_id)
    SELECT "user", value FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE field = 'group' AND leaves IS NOT TRUE ON CONFLICT DO NOTHING;
    INSERT INTO people_position_holder (user_id, position_id)
    SELECT "user", value FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE field = 'position' AND leaves IS NOT TRUE ON CONFLICT DO NOTHING;
    DELETE FROM people_department_post p
    USING jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE f.field IN ('head', 'assistant') AND p.post = f.field AND p.department_id = f.value
      AND CASE WHEN f.leaves THEN p.user_id = f."user" ELSE f.field = 'head' AND p.user_id <> f."user" END;
    INSERT INTO people_department_post (user_id, post, department_id)
    SELECT "user", field, value FROM jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE field IN ('head', 'assistant') AND leaves IS NOT TRUE ON CONFLICT DO NOTHING;
    DELETE FROM people_membership m USING jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE f.field = 'other_department' AND f.leaves AND m.user_id = f."user" AND m.department_id = f.value;
    DELETE FROM people_group_member m USING jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE f.field = 'group' AND f.leaves AND m.user_id = f."user" AND m.group_id = f.value;
    DELETE FROM people_position_holder h
    USING jsonb_to_recordset(facts) AS f(field text, "user" int, value int, leaves boolean)
    WHERE f.field = 'position' AND f.leaves AND h.user_id = f."user" AND h.position_id = f.value;
END $$;

-- Which of these facts would have to wait, and what each would add: [{index, keeps, adds}]. Nothing of them stays.
-- `keeps`: until it is released the present level or department stays: the new level holds it, or a prohibition binds it.
-- What waits is not there to hold anything back, so what remains is looked at again until nothing more has to wait.
CREATE OR REPLACE FUNCTION hufu.what_waits(facts jsonb) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    answer jsonb := '[]';
    tried jsonb := (SELECT coalesce(jsonb_agg(f || jsonb_build_object('index', n - 1)), '[]')
                    FROM jsonb_array_elements(facts) WITH ORDINALITY AS e(f, n));
    more jsonb;
BEGIN
    IF NOT hufu.holds('user.manage') THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT hufu.changes_wait() OR EXISTS (SELECT 1 FROM access_approved_move WHERE anything) THEN
        RETURN answer;
    END IF;
    LOOP
        more := hufu.what_waits_of(tried);
        -- Each round adds a fact that waits, or one that keeps what is there.
        EXIT WHEN NOT EXISTS (
            SELECT 1 FROM jsonb_to_recordset(more) AS m(index int, keeps boolean)
            LEFT JOIN jsonb_to_recordset(answer) AS a(index int, keeps boolean) ON a.index = m.index
            WHERE a.index IS NULL OR (m.keeps AND NOT a.keeps));
        -- A fact that waits for something else already, and turns out to lift a prohibition, keeps what is there.
        answer := (
            SELECT jsonb_agg(jsonb_build_object(
                'index', coalesce(o.index, m.index), 'keeps', coalesce(o.keeps, false) OR coalesce(m.keeps, false),
                'adds', coalesce(o.adds, '{}') || coalesce(m.adds, '{}')))
            FROM jsonb_to_recordset(answer) AS o(index int, keeps boolean, adds jsonb)
            FULL JOIN jsonb_to_recordset(more) AS m(index int, keeps boolean, adds jsonb) ON m.index = o.index);
        -- Until a department or level is released there is none, unless the present one is kept.
        tried := (
            SELECT coalesce(jsonb_agg(CASE WHEN a.index IS NULL THEN t.f ELSE jsonb_set(t.f, '{value}', 'null') END), '[]')
            FROM jsonb_array_elements(tried) AS t(f)
            LEFT JOIN jsonb_to_recordset(answer) AS a(index int, keeps boolean) ON a.index = (t.f ->> 'index')::int
            WHERE a.index IS NULL OR (t.f ->> 'field' IN ('department', 'level') AND NOT a.keeps));
    END LOOP;
    RETURN answer;
END $$;

-- One look at it: facts with their `index`; only the function above calls it.
CREATE OR REPLACE FUNCTION hufu.what_waits_of(facts jsonb) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    answer jsonb := '[]';
    levels jsonb;
BEGIN
    levels := (SELECT coalesce(jsonb_object_agg(u.id, u.level_id), '{}') FROM people_user u
               WHERE u.id IN (SELECT "user" FROM jsonb_to_recordset(facts) AS f(field text, "user" int) WHERE field = 'level'));
    BEGIN
        INSERT INTO people_user (id, username, password, name, name_sort, email, title, status, language, link_number)
        SELECT DISTINCT f."user", '?' || f."user", '', '', '', '', '', 'active', '', 0
        FROM jsonb_to_recordset(facts) AS f("user" int)
        WHERE f."user" IS NOT NULL AND NOT EXISTS (SELECT 1 FROM people_user u WHERE u.id = f."user");
        PERFORM hufu.write_facts(facts);
        WITH RECURSIVE fact AS (
            SELECT (e.f ->> 'index')::int AS index, e.f ->> 'field' AS field, (e.f ->> 'user')::int AS user_id,
                   (e.f ->> 'value')::int AS value, (e.f ->> 'department')::int AS department_id,
                   coalesce((e.f ->> 'leaves')::boolean, false) AS leaves
            FROM jsonb_array_elements(facts) AS e(f)),
        gain AS MATERIALIZED (SELECT * FROM hufu.gained_unapproved()),
        way (boss, thing, id) AS (
            SELECT DISTINCT g.user_id, g.thing, g.thing FROM gain g WHERE g.kind = 'person'
            UNION
            SELECT way.boss, way.thing, v.manager_id FROM way JOIN people_user v ON v.id = way.id
            WHERE v.manager_id IS NOT NULL AND v.manager_id <> way.boss),
        caused AS (
            SELECT f.index, g.* FROM gain g JOIN fact f ON CASE
                WHEN g.kind = 'prohibition' AND f.field = 'parent' THEN g.principal LIKE 'department:%'
                -- Whoever is left in place of another as the head: both wait.
                WHEN g.kind = 'prohibition' AND g.principal LIKE '%.head%' AND f.field = 'head' THEN
                    f.leaves AND f.user_id = g.user_id OR NOT f.leaves AND f.user_id <> g.user_id
                    AND hufu.is_at_or_below(f.value, g.principal)
                WHEN g.kind = 'prohibition' AND f.user_id <> g.user_id THEN false
                WHEN g.kind = 'prohibition' THEN CASE
                    WHEN g.principal LIKE 'level:%' THEN f.field = 'level'
                    WHEN g.principal LIKE 'group:%' THEN f.field = 'group' AND f.leaves AND g.principal = 'group:' || f.value
                    WHEN g.principal LIKE 'position:%' THEN
                        f.field = 'position' AND f.leaves AND g.principal = 'position:' || f.value
                    WHEN g.principal LIKE '%.assistant%' THEN
                        f.field = 'assistant' AND f.leaves AND hufu.is_at_or_below(f.value, g.principal)
                    WHEN g.principal LIKE 'department:%' THEN f.field = 'department'
                        OR f.field = 'other_department' AND f.leaves AND hufu.is_at_or_below(f.value, g.principal)
                    ELSE false END
                WHEN f.leaves THEN false
                WHEN f.field = 'parent' THEN g.kind = 'department' OR g.principal LIKE 'department:%'
                WHEN g.kind = 'person' THEN f.field = 'manager' AND EXISTS (
                    SELECT 1 FROM way WHERE way.boss = g.user_id AND way.thing = g.thing AND way.id = f.user_id)
                WHEN f.user_id <> g.user_id THEN false
                WHEN g.kind = 'department' THEN f.field IN ('department', 'other_department') AND EXISTS (
                    SELECT 1 FROM hufu.departments_below b WHERE b.department_id = f.value AND b.below_id = g.thing)
                WHEN g.principal LIKE 'level:%' THEN f.field = 'level'
                WHEN g.principal LIKE 'group:%' THEN f.field = 'group' AND g.principal = 'group:' || f.value
                WHEN g.principal LIKE 'position:%' THEN f.field = 'position' AND g.principal = 'position:' || f.value
                WHEN g.principal LIKE '%.head%' THEN f.field = 'head' AND EXISTS (
                    SELECT 1 FROM hufu.departments_below b WHERE b.below_id = f.value
                      AND b.department_id = rtrim(split_part(split_part(g.principal, ':', 2), '.', 1), '+')::int)
                WHEN g.principal LIKE '%.assistant%' THEN f.field = 'assistant' AND EXISTS (
                    SELECT 1 FROM hufu.departments_below b WHERE b.below_id = f.value
                      AND b.department_id = rtrim(split_part(split_part(g.principal, ':', 2), '.', 1), '+')::int)
                WHEN g.principal LIKE 'department:%' THEN f.field IN ('department', 'other_department') AND EXISTS (
                    SELECT 1 FROM hufu.departments_below b WHERE b.below_id = f.value
                      AND b.department_id = rtrim(split_part(g.principal, ':', 2), '+')::int)
                ELSE false END)
        SELECT coalesce(jsonb_agg(jsonb_build_object('index', c.index, 'keeps', c.keeps, 'adds', c.adds)), '[]') INTO answer
        FROM (
            SELECT caused.index,
                   bool_or(caused.kind = 'prohibition' OR f.field = 'level' AND EXISTS (
                       SELECT 1 FROM hufu.levels_held h WHERE h.level_id = f.value
                         AND h.held_id = (levels ->> f.user_id::text)::int)) AS keeps,
                   jsonb_strip_nulls(jsonb_build_object(
                       'permissions', jsonb_agg(DISTINCT caused.permission)
                           FILTER (WHERE caused.permission IS NOT NULL AND caused.kind <> 'prohibition'),
                       'prohibitions', jsonb_agg(DISTINCT caused.permission) FILTER (WHERE caused.kind = 'prohibition'),
                       'partitions', jsonb_agg(DISTINCT caused.partition_id) FILTER (WHERE caused.partition_id IS NOT NULL),
                       'people', jsonb_agg(DISTINCT caused.thing) FILTER (WHERE caused.kind = 'person'),
                       'departments', jsonb_agg(DISTINCT caused.thing) FILTER (WHERE caused.kind = 'department'),
                       'to', jsonb_agg(DISTINCT caused.user_id))) AS adds
            FROM caused JOIN fact f ON f.index = caused.index GROUP BY caused.index) c;
        RAISE EXCEPTION 'undone' USING ERRCODE = 'HU001';
    EXCEPTION WHEN SQLSTATE 'HU001' THEN
        NULL;
    END;
    RETURN answer;
END $$;

-- Let changes that wait come true: for whoever may give roles, never a change that they asked for, nor one by which they
-- would gain. Returns how many there were.
CREATE OR REPLACE FUNCTION hufu.release_changes(ids bigint[]) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    facts jsonb;
    amount int;
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 1);
    IF NOT hufu.holds('role.assign') OR hufu.actor() < 0 OR EXISTS (
        SELECT 1 FROM access_pending_change WHERE id = ANY (ids) AND hufu.actor() IN (asked_by, user_id)) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT jsonb_agg(jsonb_build_object('field', c.field, 'user', c.user_id, 'department', c.department_id, 'value', c.value,
                                        'leaves', c.leaves)
                     ORDER BY c.id), count(*)
    INTO facts, amount FROM access_pending_change c LEFT JOIN people_user u ON u.id = c.user_id
    -- Whoever has left meanwhile comes to nothing more, but is let out of what was to be left.
    WHERE c.id = ANY (ids) AND (u.status IS DISTINCT FROM 'left' OR c.leaves OR c.field IN ('department', 'level'));
    IF amount > 0 THEN
        PERFORM hufu.write_facts(facts);
        IF EXISTS (SELECT 1 FROM hufu.gained() g WHERE g.user_id = hufu.actor()) THEN
            RAISE EXCEPTION 'nobody gives rights to themselves' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    DELETE FROM access_pending_change WHERE id = ANY (ids);
    RETURN amount;
END $$;

ALTER TABLE public.access_pending_change ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, DELETE ON public.access_pending_change TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_pending_change;
DROP POLICY IF EXISTS insert ON public.access_pending_change;
DROP POLICY IF EXISTS remove ON public.access_pending_change;
-- Seen by the person, their manager, and whoever manages people, gives roles or explains rights.
CREATE POLICY read ON public.access_pending_change FOR SELECT TO hufu_app USING (
    user_id = (SELECT hufu.actor()) OR (SELECT hufu.holds('user.manage')) OR (SELECT hufu.holds('role.assign'))
    OR (SELECT hufu.holds('role.view')) OR (SELECT hufu.holds('explain.any'))
    OR EXISTS (SELECT 1 FROM public.people_user u WHERE u.id = user_id AND u.manager_id = (SELECT hufu.actor())));
CREATE POLICY insert ON public.access_pending_change FOR INSERT TO hufu_app WITH CHECK (
    (SELECT hufu.holds('user.manage')) AND asked_by = (SELECT hufu.actor()) AND user_id IS DISTINCT FROM (SELECT hufu.actor()));
CREATE POLICY remove ON public.access_pending_change FOR DELETE TO hufu_app USING (
    (SELECT hufu.holds('user.manage')) OR (SELECT hufu.holds('role.assign')));

ALTER TABLE public.access_approved_move ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.access_approved_move TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_approved_move;
DROP POLICY IF EXISTS change ON public.access_approved_move;
CREATE POLICY read ON public.access_approved_move FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL);
DROP POLICY IF EXISTS add ON public.access_approved_move;
DROP POLICY IF EXISTS remove ON public.access_approved_move;
-- A definition: it comes by a change set from version 1 on; whoever manages roles ends it at any time.
CREATE POLICY add ON public.access_approved_move FOR INSERT TO hufu_app WITH CHECK ((SELECT hufu.may_define()));
CREATE POLICY change ON public.access_approved_move FOR UPDATE TO hufu_app USING ((SELECT hufu.may_define()));
CREATE POLICY remove ON public.access_approved_move FOR DELETE TO hufu_app USING (
    (SELECT hufu.holds('role.manage')) OR (SELECT hufu.may_narrow()));
