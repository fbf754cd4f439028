-- Sharing rules and territories: their alternatives, whom these reach, and what they cover. Only these functions write
-- access_rule_part, access_rule_match and access_rule_reach. What compares a record's fields is made for each type by
-- hufu/access/rule_sql.py: hufu.rule_fields, hufu.atom_of_TABLE, hufu.meets_TABLE, hufu.rule_fill.
--
-- INVARIANT (never wider): an atom is true, false or, about what is not there, NULL; so is its negation. A literal must
-- be true. docs/decisions/0017 has the table.

-- The alternatives of a condition, as arrays of literals {"not", "atom"}; NULL for what is no condition, or too much.
CREATE OR REPLACE FUNCTION hufu.disjuncts(condition jsonb, negated boolean, depth int DEFAULT 0) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    word text := CASE WHEN jsonb_typeof(condition) <> 'object' THEN NULL WHEN condition ? 'not' THEN 'not'
                      WHEN condition ? 'all' THEN 'all' WHEN condition ? 'any' THEN 'any' ELSE '' END;
    together boolean := (word = 'all') <> negated;
    result jsonb := CASE WHEN together THEN '[[]]' ELSE '[]' END;
    part jsonb;
    more jsonb;
BEGIN
    IF word = '' THEN
        RETURN jsonb_build_array(jsonb_build_array(jsonb_build_object('not', negated, 'atom', condition)));
    ELSIF word IS NULL OR depth > 12 OR condition - word <> '{}' THEN
        RETURN NULL;
    ELSIF word = 'not' THEN
        RETURN hufu.disjuncts(condition -> 'not', NOT negated, depth + 1);
    ELSIF jsonb_typeof(condition -> word) <> 'array' OR condition -> word = '[]' THEN
        RETURN NULL;
    END IF;
    FOR part IN SELECT jsonb_array_elements(condition -> word) LOOP
        more := hufu.disjuncts(part, negated, depth + 1);
        IF together THEN
            SELECT jsonb_agg(one || other) INTO result
            FROM jsonb_array_elements(result) one, jsonb_array_elements(more) other;
        ELSE
            result := result || more;
        END IF;
        IF result IS NULL OR jsonb_array_length(result) > 32 THEN
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN result;
END $$;

-- Does the array hold nothing but such texts or whole numbers?
CREATE OR REPLACE FUNCTION hufu.holds_only(listed jsonb, kind text) RETURNS boolean LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT jsonb_typeof(listed) = 'array' AND listed <> '[]' AND NOT EXISTS (
       SELECT 1 FROM jsonb_array_elements(CASE WHEN jsonb_typeof(listed) = 'array' THEN listed ELSE '[]' END) one
       WHERE CASE kind WHEN 'number' THEN jsonb_typeof(one) <> 'number' OR one #>> '{}' !~ '^-?[0-9]{1,19}$'
                       ELSE jsonb_typeof(one) <> 'string' OR one = '""' END) $$;

-- Can the atom be translated exactly, for records of this type? It names what there is, and compares as its kind does.
CREATE OR REPLACE FUNCTION hufu.is_translatable(of_type text, atom jsonb) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT CASE
        WHEN atom ? 'owner_department' OR atom ? 'department' THEN coalesce(atom -> 'below' = 'true', true) AND EXISTS (
            SELECT 1 FROM people_department d
            WHERE atom - 'below' IN (jsonb_build_object('owner_department', d.id), jsonb_build_object('department', d.id)))
        WHEN atom ? 'owner_role' THEN EXISTS (
            SELECT 1 FROM access_role r WHERE atom = jsonb_build_object('owner_role', r.id))
        WHEN atom ? 'owner_level' THEN EXISTS (
            SELECT 1 FROM people_level l WHERE atom = jsonb_build_object('owner_level', l.id))
        ELSE EXISTS (
            SELECT 1 FROM hufu.rule_fields f
            WHERE f.type = of_type AND to_jsonb(f.field) = atom -> 'field' AND CASE
                WHEN atom ? 'empty' THEN atom - 'field' = '{"empty": true}'
                WHEN f.has_currency <> (atom ? 'currency') THEN false
                WHEN atom ? 'currency' AND NOT hufu.holds_only(jsonb_build_array(atom -> 'currency'), 'text') THEN false
                WHEN f.kind = 'text' THEN atom - '{field,is}'::text[] = '{}' AND hufu.holds_only(atom -> 'is', 'text')
                WHEN f.kind = 'day' THEN
                    atom - '{field,from,until}'::text[] = '{}'
                    AND hufu.holds_only(jsonb_path_query_array(atom, '$.*'), 'text') AND atom ?| '{from,until}'
                WHEN atom ? 'is' THEN atom - '{field,is,currency}'::text[] = '{}' AND hufu.holds_only(atom -> 'is', 'number')
                ELSE atom - '{field,at_least,at_most,currency}'::text[] = '{}'
                     AND hufu.holds_only(jsonb_path_query_array(atom - '{field,currency}'::text[], '$.*'), 'number') END) END $$;

-- How an atom compares a text, a whole number, a day; NULL where there is none.
CREATE OR REPLACE FUNCTION hufu.text_is(value text, atom jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN atom ? 'empty' THEN value IS NULL OR value = '' WHEN value = '' THEN NULL
          ELSE (atom -> 'is') ? value END $$;
CREATE OR REPLACE FUNCTION hufu.number_is(value bigint, atom jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN atom ? 'empty' THEN value IS NULL WHEN atom ? 'is' THEN (atom -> 'is') @> to_jsonb(value)
          ELSE to_jsonb(value) >= coalesce(atom -> 'at_least', to_jsonb(value))
               AND to_jsonb(value) <= coalesce(atom -> 'at_most', to_jsonb(value)) END $$;
CREATE OR REPLACE FUNCTION hufu.day_is(value date, atom jsonb) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN atom ? 'empty' THEN value IS NULL
          ELSE to_char(value, 'YYYY-MM-DD') COLLATE "C" >= coalesce(atom ->> 'from', '') COLLATE "C"
               AND to_char(value, 'YYYY-MM-DD') COLLATE "C" <= coalesce(atom ->> 'until', '~') COLLATE "C" END $$;

-- Who holds a role at a moment, by whatever way, inherited ones too. Gates on roles do not count.
CREATE OR REPLACE FUNCTION hufu.rule_role_holders(wanted int, moment timestamptz) RETURNS int[] LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE holding AS (
        SELECT wanted AS role_id
        UNION
        SELECT i.role_id FROM holding JOIN access_role_inherits i ON i.inherits_id = holding.role_id)
    SELECT coalesce(array_agg(DISTINCT a.user_id), '{}')
    FROM hufu.user_assignments a JOIN holding USING (role_id)
    WHERE (a.starts_at IS NULL OR a.starts_at <= moment) AND (a.ends_at IS NULL OR a.ends_at > moment) $$;

-- The people for whom, as owners, a literal about owners is true.
CREATE OR REPLACE FUNCTION hufu.rule_owners(atom jsonb, negated boolean, moment timestamptz) RETURNS int[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    those int[];
    known int[];
BEGIN
    IF atom ? 'owner_role' THEN
        those := hufu.rule_role_holders((atom ->> 'owner_role')::int, moment);
        known := ARRAY(SELECT id FROM people_user);
    ELSIF atom ? 'owner_level' THEN
        those := ARRAY(SELECT u.id FROM people_user u JOIN hufu.levels_held h ON h.level_id = u.level_id
                       WHERE h.held_id = (atom ->> 'owner_level')::int);
        known := ARRAY(SELECT id FROM people_user WHERE level_id IS NOT NULL);
    ELSE
        those := ARRAY(SELECT DISTINCT m.user_id FROM hufu.members m
                       WHERE m.department_id IN (SELECT hufu.departments_for(atom -> 'owner_department', atom ? 'below')));
        known := ARRAY(SELECT DISTINCT user_id FROM hufu.members);
    END IF;
    RETURN CASE WHEN negated THEN ARRAY(SELECT unnest(known) EXCEPT SELECT unnest(those)) ELSE those END;
END $$;

CREATE OR REPLACE FUNCTION hufu.departments_for(department jsonb, with_below boolean) RETURNS SETOF int
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT below_id FROM hufu.departments_below
   WHERE department_id = department::text::int AND (with_below OR below_id = department_id) $$;

-- A condition as alternatives: the owners and departments of records for which the literals about these hold (NULL:
-- there are none), and whether fields are looked at. What cannot be translated exactly has no alternatives.
CREATE OR REPLACE FUNCTION hufu.rule_alternatives(of_type text, condition jsonb, moment timestamptz)
    RETURNS TABLE (literals jsonb, owners bytea, departments bytea, by_fields boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    every jsonb := hufu.disjuncts(condition, false);
    literal jsonb;
    atom jsonb;
    negated boolean;
    those int[];
    owner_set int[];
    department_set int[];
BEGIN
    IF every IS NULL OR EXISTS (
        SELECT 1 FROM jsonb_array_elements(every) one, jsonb_array_elements(one) l
        WHERE NOT coalesce(hufu.is_translatable(of_type, l -> 'atom'), false)) THEN
        RETURN;
    END IF;
    FOR literals IN SELECT jsonb_array_elements(every) LOOP
        owner_set := NULL;
        department_set := NULL;
        by_fields := false;
        FOR literal IN SELECT jsonb_array_elements(literals) LOOP
            atom := literal -> 'atom';
            negated := (literal -> 'not')::boolean;
            IF atom ? 'field' THEN
                by_fields := true;
            ELSIF atom ? 'department' THEN
                those := ARRAY(SELECT id FROM people_department
                               WHERE (id IN (SELECT hufu.departments_for(atom -> 'department', atom ? 'below'))) <> negated);
                department_set := CASE WHEN department_set IS NULL THEN those
                                  ELSE ARRAY(SELECT unnest(department_set) INTERSECT SELECT unnest(those)) END;
            ELSE
                those := hufu.rule_owners(atom, negated, moment);
                owner_set := CASE WHEN owner_set IS NULL THEN those
                             ELSE ARRAY(SELECT unnest(owner_set) INTERSECT SELECT unnest(those)) END;
            END IF;
        END LOOP;
        owners := CASE WHEN owner_set IS NOT NULL THEN hufu.bitmap(owner_set) END;
        departments := CASE WHEN department_set IS NOT NULL THEN hufu.bitmap(department_set) END;
        RETURN NEXT;
    END LOOP;
END $$;

-- Bring the parts of all rules to what conditions, people and roles say now. An alternative that stays keeps its matches;
-- a new one finds its records here, while nobody changes any (the lock of hufu.rule_fill).
CREATE OR REPLACE FUNCTION hufu.rule_rebuild(moment timestamptz) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    rule record;
    wanted record;
    standing access_rule_part;
    kept int[] := '{}';
    ends timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 1);
    FOR rule IN SELECT r.id, r.type, r.condition FROM access_rule r WHERE r.condition IS NOT NULL ORDER BY r.id LOOP
        FOR wanted IN SELECT * FROM hufu.rule_alternatives(rule.type, rule.condition, moment) LOOP
            SELECT * INTO standing FROM access_rule_part p
            WHERE p.rule_id = rule.id AND p.type = rule.type AND p.literals = wanted.literals;
            IF standing.id IS NULL THEN
                INSERT INTO access_rule_part (rule_id, type, literals, owners, departments, by_fields)
                VALUES (rule.id, rule.type, wanted.literals, wanted.owners, wanted.departments, wanted.by_fields)
                RETURNING * INTO standing;
                IF standing.by_fields THEN
                    PERFORM hufu.rule_fill(standing.id, standing.type, standing.literals);
                END IF;
            ELSIF (standing.owners, standing.departments) IS DISTINCT FROM (wanted.owners, wanted.departments) THEN
                UPDATE access_rule_part SET owners = wanted.owners, departments = wanted.departments
                WHERE id = standing.id;
            END IF;
            kept := kept || standing.id;
        END LOOP;
    END LOOP;
    DELETE FROM access_rule_match WHERE part IN (SELECT id FROM access_rule_part WHERE id <> ALL (kept));
    DELETE FROM access_rule_part WHERE id <> ALL (kept);
    -- Who holds a role changes by the clock. Nobody has number 0: its row says until when parts hold.
    SELECT min(limits.at) INTO ends
    FROM (SELECT unnest(ARRAY[starts_at, ends_at]) AS at FROM access_assignment) limits
    WHERE limits.at > moment AND EXISTS (SELECT 1 FROM access_rule_part WHERE literals @? '$[*].atom.owner_role');
    INSERT INTO access_reach (user_id, built_at, valid_until) VALUES (0, moment, ends)
    ON CONFLICT (user_id) DO UPDATE SET built_at = EXCLUDED.built_at, valid_until = EXCLUDED.valid_until;
END $$;

CREATE OR REPLACE FUNCTION hufu.rules_are_fresh() RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT NOT EXISTS (SELECT 1 FROM access_reach WHERE user_id = 0 AND valid_until <= hufu.now()) $$;

-- Before somebody acts, or everybody is asked about: parts that are past a time limit are built again.
CREATE OR REPLACE FUNCTION hufu.rule_freshen() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT hufu.rules_are_fresh() THEN
        PERFORM pg_advisory_xact_lock(7252, 1);
        IF NOT hufu.rules_are_fresh() THEN
            PERFORM hufu.rule_rebuild(hufu.now());
        END IF;
    END IF;
END $$;

-- A territory and those above it: the members of all of them reach what matches it. A rule has itself alone.
CREATE OR REPLACE VIEW hufu.rules_above AS
    WITH RECURSIVE above AS (
        SELECT id AS rule_id, id AS above_id FROM public.access_rule
        UNION
        SELECT above.rule_id, r.parent_id FROM above JOIN public.access_rule r ON r.id = above.above_id
        WHERE r.parent_id IS NOT NULL)
    SELECT rule_id, above_id FROM above;

-- Whom rules reach: those who stand for a recipient, or for a member of a territory above, and superiors where they do.
CREATE OR REPLACE FUNCTION hufu.rule_rebuild_reach(only_users int[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM access_rule_reach WHERE only_users IS NULL OR user_id = ANY (only_users);
    IF NOT EXISTS (SELECT 1 FROM access_rule_to) THEN
        RETURN;
    END IF;
    INSERT INTO access_rule_reach (user_id, rule_id)
    WITH RECURSIVE reached AS (
        SELECT p.user_id, a.rule_id
        FROM access_rule_to t
        JOIN hufu.rules_above a ON a.above_id = t.rule_id
        JOIN access_principal p ON p.principal = hufu.principal(
            t.user_id, t.group_id, t.department_id, t.below, t.post, t.position_id, t.level_id)
        UNION
        SELECT u.manager_id, reached.rule_id
        FROM reached
        JOIN access_rule r ON r.id = reached.rule_id AND r.superiors
        JOIN people_user u ON u.id = reached.user_id
        WHERE u.manager_id IS NOT NULL)
    SELECT user_id, rule_id FROM reached WHERE only_users IS NULL OR user_id = ANY (only_users);
END $$;

-- The alternatives of rules in force that reach the actor. ROWS: few, or the planner takes the row policy for dear.
CREATE OR REPLACE FUNCTION hufu.my_rules(of_type text)
    RETURNS TABLE (part int, access text, owners bytea, departments bytea, by_fields boolean, literals jsonb)
    LANGUAGE sql STABLE ROWS 3 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT p.id, r.access, p.owners, p.departments, p.by_fields, p.literals
    FROM access_rule_reach mine
    JOIN access_rule r ON r.id = mine.rule_id
    JOIN access_rule_part p ON p.rule_id = r.id AND p.type = of_type
    WHERE mine.user_id = hufu.actor()
      AND (r.starts_at IS NULL OR r.starts_at <= hufu.now()) AND (r.ends_at IS NULL OR r.ends_at > hufu.now()) $$;

CREATE OR REPLACE FUNCTION hufu.my_rule_parts() RETURNS SETOF int LANGUAGE sql STABLE ROWS 3 SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT p.id FROM access_rule_reach mine JOIN access_rule_part p ON p.rule_id = mine.rule_id
   WHERE mine.user_id = hufu.actor() $$;

-- Whom rules in force give a record, to view or also to edit.
CREATE OR REPLACE FUNCTION hufu.rule_recipients(of_type text, record bigint, of_owner int, of_department int, to_edit boolean)
    RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT DISTINCT reached.user_id
    FROM access_rule_part p
    JOIN access_rule r ON r.id = p.rule_id
    JOIN access_rule_reach reached ON reached.rule_id = r.id
    WHERE p.type = of_type AND (r.access = 'edit' OR NOT to_edit)
      AND (r.starts_at IS NULL OR r.starts_at <= hufu.now()) AND (r.ends_at IS NULL OR r.ends_at > hufu.now())
      AND (p.owners IS NULL OR hufu.bit(p.owners, of_owner))
      AND (p.departments IS NULL OR hufu.bit(p.departments, of_department))
      AND (NOT p.by_fields OR EXISTS (SELECT 1 FROM access_rule_match m WHERE m.part = p.id AND m.record_id = record)) $$;

-- Who holds the roles that rules name which reach the actor: what such a rule gives them tells as much.
CREATE OR REPLACE FUNCTION hufu.holders_for_my_rules() RETURNS TABLE (role_id int, holders int[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT named.role_id, hufu.rule_role_holders(named.role_id, hufu.now())
    FROM (SELECT DISTINCT (l -> 'atom' ->> 'owner_role')::int AS role_id
          FROM access_rule_reach mine
          JOIN access_rule_part p ON p.rule_id = mine.rule_id, jsonb_array_elements(p.literals) l
          WHERE mine.user_id = hufu.actor() AND l -> 'atom' ? 'owner_role') named $$;

-- Would a rule with these superiors and this place in the tree reach the actor, through one who is named already, or
-- through `also`? Nobody gives to themselves.
CREATE OR REPLACE FUNCTION hufu.gives_me_by_rule(rule int, above int, with_superiors boolean, also text DEFAULT NULL)
    RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH given AS (
        SELECT hufu.principal(t.user_id, t.group_id, t.department_id, t.below, t.post, t.position_id, t.level_id) AS principal
        FROM access_rule_to t
        WHERE t.rule_id = rule OR t.rule_id IN (SELECT above_id FROM hufu.rules_above WHERE rule_id = above)
        UNION ALL
        SELECT also WHERE also IS NOT NULL)
    SELECT EXISTS (SELECT 1 FROM given JOIN hufu.principals p ON p.principal = given.principal AND p.user_id = hufu.actor())
        OR with_superiors AND EXISTS (
            SELECT 1 FROM given JOIN hufu.principals p ON p.principal = given.principal
            JOIN access_term mine ON mine.user_id = hufu.actor() AND mine.term = 0
            WHERE hufu.bit(mine.owners, p.user_id) AND p.user_id <> hufu.actor()) $$;

-- A territory stands below a territory about the same type, and in no circle.
CREATE OR REPLACE FUNCTION hufu.no_territory_cycle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NEW.parent_id IS NOT NULL AND (
        NEW.id IN (SELECT above_id FROM hufu.rules_above WHERE rule_id = NEW.parent_id)
        OR NOT EXISTS (SELECT 1 FROM access_rule r WHERE r.id = NEW.parent_id AND r.territory AND r.type = NEW.type)) THEN
        RAISE EXCEPTION 'rule % cannot stand below %', NEW.id, NEW.parent_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER a_no_cycle BEFORE INSERT OR UPDATE ON public.access_rule
    FOR EACH ROW EXECUTE FUNCTION hufu.no_territory_cycle();

-- What is built is read by functions alone, but for the matches of parts that reach whoever asks.
ALTER TABLE public.access_rule_part ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_rule_match ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_rule_reach ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_rule_part, public.access_rule_match, public.access_rule_reach FROM hufu_app;
GRANT SELECT (part, record_id, updated_at) ON public.access_rule_match TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_rule_match;
CREATE POLICY read ON public.access_rule_match FOR SELECT TO hufu_app USING (part IN (SELECT hufu.my_rule_parts()));

-- Where people were there before what they stand for was kept, it is built now.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_principal) THEN
        PERFORM hufu.rebuild_reach();
    END IF;
END $$;
