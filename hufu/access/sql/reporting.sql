-- Reporting: people sign in to the database as themselves and query the views of the schema `report`. Who they are says the
-- login of their session, never a setting; what they may says the policy.

CREATE SCHEMA IF NOT EXISTS report;
REVOKE ALL ON SCHEMA report FROM PUBLIC;
GRANT USAGE ON SCHEMA report TO hufu_reader;

-- Nobody touches the table: the functions below do.
ALTER TABLE public.access_reporting_login ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_reporting_login FROM hufu_app;

-- What somebody's login is called. INVARIANT: the name says whose it is and of which database: no row makes it anybody
-- else's, and a login of another database on the same server is nobody here.
CREATE OR REPLACE FUNCTION hufu.reporting_login(who int) RETURNS text LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT 'hufu_report_' || current_database() || '_' || who $$;

-- Whose login this session was opened with, if it is one for reporting; whether they may read is another question.
CREATE OR REPLACE FUNCTION hufu.reporting_user() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT l.user_id FROM access_reporting_login l
   WHERE l.user_id = substring(session_user::text FROM '_([0-9]{1,9})$')::int
     AND hufu.reporting_login(l.user_id) = session_user::text $$;

-- The gates that are closed to somebody who reports: all of them, since nobody knows from where, when and with what proof
-- a tool asks; 0 stands on what is open by break-glass. A quota is closed when it is used up.
CREATE OR REPLACE FUNCTION hufu.closed_to_reporting(who int) RETURNS int[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT ARRAY(SELECT 0 UNION ALL SELECT id FROM access_gate
                UNION ALL SELECT -q.id FROM hufu.quotas_standing(who) q WHERE q.used >= q.most) $$;

-- Why somebody may not read by reporting now, as one word; '' when they may.
CREATE OR REPLACE FUNCTION hufu.reporting_problem(who int) RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    closed int[] := hufu.closed_to_reporting(who);
    opened access_reporting_login;
BEGIN
    SELECT * INTO opened FROM access_reporting_login l WHERE l.user_id = who;
    RETURN CASE
        WHEN opened.user_id IS NULL THEN 'nobody'
        WHEN opened.ends_at <= hufu.now() THEN 'ended'
        WHEN NOT hufu.is_active(who) THEN 'inactive'
        WHEN NOT hufu.is_fresh(who) THEN 'stale'
        WHEN NOT EXISTS (SELECT 1 FROM access_term_grant g
                         WHERE g.user_id = who AND g.permission = 'report.sign_in' AND g.scopes <> 0) THEN 'permission'
        WHEN hufu.person_is_closed(who, closed)
          OR EXISTS (SELECT 1 FROM access_gate_use u WHERE u.permission = 'report.sign_in' AND u.gate_id = ANY (closed))
          OR NOT EXISTS (SELECT 1 FROM access_term_grant g JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
                         WHERE g.user_id = who AND g.permission = 'report.sign_in' AND g.scopes <> 0
                           AND NOT t.gates && closed) THEN 'gate'
        ELSE '' END;
END $$;

-- Refuse whoever may not read by reporting, and say why. Every view asks this first.
-- INVARIANT: each statement reads what stands when it begins. In an older snapshot rights would last that have ended.
CREATE OR REPLACE FUNCTION hufu.require_reporting() RETURNS void LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    problem text := coalesce(hufu.reporting_problem(hufu.reporting_user()), 'nobody');
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'reports are read in READ COMMITTED transactions' USING ERRCODE = 'invalid_transaction_state',
            DETAIL = '报表须在 READ COMMITTED 隔离级别下读取：更高的隔离级别会一直使用事务开始时的权限。',
            HINT = 'SET default_transaction_isolation = ''read committed''';
    END IF;
    CASE problem
    WHEN '' THEN RETURN;
    WHEN 'stale' THEN
        RAISE EXCEPTION 'a right of yours began or ended: your rights are to be worked out anew'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = '您的某项权限已开始或到期，需要重新计算您的权限。',
            HINT = 'SELECT report.begin()';
    WHEN 'ended' THEN
        RAISE EXCEPTION 'this reporting sign-in has ended' USING ERRCODE = 'insufficient_privilege',
            DETAIL = '此报表登录已到期。', HINT = 'hufu reporting open';
    WHEN 'inactive' THEN
        RAISE EXCEPTION 'your account is not active' USING ERRCODE = 'insufficient_privilege', DETAIL = '您的账号未启用。';
    WHEN 'gate' THEN
        RAISE EXCEPTION 'an access limit stands on your sign-in; for reporting tools it counts as closed'
            USING ERRCODE = 'insufficient_privilege', DETAIL = '您的登录受访问限制约束，该限制对报表工具一律视为关闭。',
            HINT = 'Ask your security administrator. 请联系安全管理员。';
    WHEN 'permission' THEN
        RAISE EXCEPTION 'you may not query your records with reporting tools' USING ERRCODE = 'insufficient_privilege',
            DETAIL = '您没有“用报表工具查询本人可见的记录”的权限（report.sign_in）。',
            HINT = 'Ask your security administrator for report.sign_in. 请联系安全管理员。';
    ELSE
        RAISE EXCEPTION 'this login is nobody''s here' USING ERRCODE = 'insufficient_privilege',
            DETAIL = '此登录在本系统中不对应任何人。', HINT = 'hufu reporting open';
    END CASE;
END $$;

-- Work out one's own rights anew where one of them began or ended, so that reading may go on. Returns one's name.
CREATE OR REPLACE FUNCTION report.begin() RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    who int := hufu.reporting_user();
BEGIN
    IF who IS NOT NULL AND hufu.is_active(who) THEN
        PERFORM hufu.freshen_reach(who);
    END IF;
    PERFORM hufu.require_reporting();
    RETURN (SELECT u.name FROM people_user u WHERE u.id = who);
END $$;
COMMENT ON FUNCTION report.begin() IS 'Works your rights out anew where one of them began or ended; tells whom you are.';

-- May the one who reports read this field on records that are theirs (mine), or on others'? Masked is not read. As
-- hufu.access.fields says it for pages, and what field rules keep from being exported is not read here, either.
CREATE OR REPLACE FUNCTION hufu.reads_field(of_type text, field text, sensitivity text, of_mine boolean) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE
       WHEN EXISTS (SELECT 1 FROM access_gate_use u
                    WHERE u.sensitivity = reads_field.sensitivity AND u.gate_id = ANY (hufu.closed_gates())) THEN false
       ELSE coalesce(
           (SELECT max(CASE WHEN of_mine THEN f.mine ELSE f.others END) >= 2 AND bool_or(f.export)
            FROM access_term_field f JOIN access_term t ON t.user_id = f.user_id AND t.term = f.term
            WHERE f.user_id = hufu.actor() AND f.type = of_type AND f.field = reads_field.field
              AND NOT t.gates && hufu.closed_gates()),
           reads_field.sensitivity IN ('public', 'internal') OR (reads_field.sensitivity = 'personal' AND of_mine)) END $$;

-- The logins, for the operator: opening, ending and telling of them.
CREATE OR REPLACE FUNCTION hufu.open_reporting(who int, until timestamptz, why text) RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF hufu.actor() IS DISTINCT FROM -1 THEN
        RAISE EXCEPTION 'only the operator opens a login' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO access_reporting_login (user_id, opened_at, opened_by, ends_at, reason)
    VALUES (who, hufu.now(), hufu.actor(), until, why) ON CONFLICT DO NOTHING;
    RETURN CASE WHEN FOUND THEN hufu.reporting_login(who) END;
END $$;

CREATE OR REPLACE FUNCTION hufu.close_reporting(who int) RETURNS text LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF hufu.actor() IS DISTINCT FROM -1 THEN
        RAISE EXCEPTION 'only the operator closes a login' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM access_reporting_login WHERE user_id = who;
    RETURN CASE WHEN FOUND THEN hufu.reporting_login(who) END;
END $$;

CREATE OR REPLACE FUNCTION hufu.reporting_logins()
    RETURNS TABLE (login text, user_id int, opened_at timestamptz, ends_at timestamptz, reason text, problem text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF hufu.actor() IS DISTINCT FROM -1 THEN
        RAISE EXCEPTION 'only the operator lists logins' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT hufu.reporting_login(l.user_id), l.user_id, l.opened_at, l.ends_at, l.reason::text,
                        hufu.reporting_problem(l.user_id)
                 FROM access_reporting_login l ORDER BY l.user_id;
END $$;
