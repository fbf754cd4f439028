-- Gates: which of them are closed is computed once per request (hufu/access/gates.py) and carried by the transaction;
-- what a closed gate closes is decided here.

-- A quota that is used up is closed like a gate, under its negative number.
CREATE OR REPLACE FUNCTION hufu.all_gates() RETURNS int[] LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM (SELECT id FROM access_gate UNION ALL SELECT -id FROM access_quota) g $$;

-- Does one of these gates bind the sign-in, or this user as a principal?
CREATE OR REPLACE FUNCTION hufu.person_is_closed(who int, closed int[]) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF cardinality(closed) = 0 THEN
        RETURN false;
    END IF;
    RETURN EXISTS (
        SELECT 1 FROM access_gate_use u WHERE u.gate_id = ANY (closed) AND (u.sign_in OR (
            u.permission = '' AND u.sensitivity = '' AND u.role_id IS NULL AND hufu.principal(
                u.user_id, u.group_id, u.department_id, u.below, u.post, u.position_id, u.level_id)
            IN (SELECT p.principal FROM hufu.principals p WHERE p.user_id = who))));
END $$;

-- The gates that bind something, for the one who evaluates them: `binds_person` says that this user cannot act behind it.
-- The quotas of this user that are used up are among them, with the moment at which they open again.
CREATE OR REPLACE FUNCTION hufu.gates_for(who int)
    RETURNS TABLE (id int, key text, name text, conditions jsonb, binds_person boolean)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT g.id, g.key, g.name, g.conditions, hufu.person_is_closed(who, ARRAY[g.id])
   FROM access_gate g WHERE EXISTS (SELECT 1 FROM access_gate_use u WHERE u.gate_id = g.id)
   UNION ALL
   SELECT -q.id, q.key, q.name, jsonb_build_object('span', q.span, 'most', q.most, 'zone', q.zone, 'opens_at', q.opens_at), false
   FROM (SELECT DISTINCT ON (s.id) s.* FROM hufu.quotas_standing(who) s WHERE s.used >= s.most
         ORDER BY s.id, s.opens_at DESC) q
   ORDER BY 1 $$;

-- Let a gate bind no sign-in and nobody by name, for the operator alone: the way back where nobody gets in. What it binds
-- besides stays bound. Returns of how many bindings it was rid.
CREATE OR REPLACE FUNCTION hufu.lift_gate(wanted int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    lifted bigint;
BEGIN
    IF hufu.actor() IS DISTINCT FROM -1 THEN
        RAISE EXCEPTION 'only the operator lifts a gate' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM access_gate_use WHERE gate_id = wanted AND permission = '' AND sensitivity = '' AND role_id IS NULL;
    GET DIAGNOSTICS lifted = ROW_COUNT;
    RETURN lifted;
END $$;

-- Is this permission within the ceiling, and no closed gate on it?
CREATE OR REPLACE FUNCTION hufu.permission_is_open(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    closed int[] := hufu.closed_gates();
BEGIN
    IF NOT coalesce(wanted = ANY (hufu.permission_ceiling()), true) THEN
        RETURN false;
    END IF;
    RETURN cardinality(closed) = 0
        OR NOT (EXISTS (SELECT 1 FROM access_gate_use WHERE permission = wanted AND gate_id = ANY (closed))
                OR EXISTS (SELECT 1 FROM access_quota WHERE counts = wanted AND -id = ANY (closed)));
END $$;

-- Does this gate bind the actor, as a principal or on a role that they hold? Such a gate is widened by others.
CREATE OR REPLACE FUNCTION hufu.gate_binds_me(gate int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.actor() > 0 AND EXISTS (
       SELECT 1 FROM access_gate_use u WHERE u.gate_id = gate AND CASE
           WHEN u.sign_in OR u.permission <> '' OR u.sensitivity <> '' THEN false
           WHEN u.role_id IS NOT NULL THEN hufu.holds_role(u.role_id)
           ELSE hufu.principal(u.user_id, u.group_id, u.department_id, u.below, u.post, u.position_id, u.level_id)
                IN (SELECT hufu.my_principals()) END) $$;
