-- Pools: who is a member, and what they hide. Only hufu.pool_rebuild_reach writes access_pool_reach.

CREATE OR REPLACE FUNCTION hufu.pool_rebuild_reach(only_users int[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM access_pool_reach WHERE only_users IS NULL OR user_id = ANY (only_users);
    IF NOT EXISTS (SELECT 1 FROM access_pool_member) THEN
        RETURN;
    END IF;
    INSERT INTO access_pool_reach (user_id, pool_id)
    SELECT DISTINCT p.user_id, m.pool_id
    FROM access_pool_member m
    JOIN access_principal p ON p.principal = hufu.principal(
        m.user_id, m.group_id, m.department_id, m.below, m.post, m.position_id, m.level_id)
    WHERE only_users IS NULL OR p.user_id = ANY (only_users);
END $$;

-- The pools of a type of which the actor is a member. ROWS: few, or the planner takes the row policy for dear.
CREATE OR REPLACE FUNCTION hufu.my_pools(of_type text) RETURNS SETOF int LANGUAGE sql STABLE ROWS 3 SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT mine.pool_id FROM access_pool_reach mine JOIN access_pool p ON p.id = mine.pool_id AND p.type = of_type
   WHERE mine.user_id = hufu.actor() $$;

CREATE OR REPLACE FUNCTION hufu.pool_members(pool int) RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT user_id FROM access_pool_reach WHERE pool_id = pool $$;

-- The pools in which a field of a type is hidden, whoever looks.
CREATE OR REPLACE FUNCTION hufu.pools_hiding(of_type text, of_field text) RETURNS SETOF int LANGUAGE sql STABLE ROWS 3
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT pool_id FROM access_pool_hidden WHERE type = of_type AND field = of_field $$;

-- Is the actor, or somebody for whom they stand in, a member of the pool?
CREATE OR REPLACE FUNCTION hufu.is_pool_of_mine(pool int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM access_pool_member m
        WHERE m.pool_id = pool
          AND hufu.principal(m.user_id, m.group_id, m.department_id, m.below, m.post, m.position_id, m.level_id)
              IN (SELECT hufu.my_principals())) $$;

-- What lies in a pool has its type and lives in its partition: neither changes.
CREATE OR REPLACE FUNCTION hufu.pool_stays() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.type, NEW.partition_id) IS DISTINCT FROM (OLD.id, OLD.type, OLD.partition_id) THEN
        RAISE EXCEPTION 'pool % stays where it is', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER a_stays BEFORE UPDATE ON public.access_pool
    FOR EACH ROW EXECUTE FUNCTION hufu.pool_stays();

ALTER TABLE public.access_pool_reach ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_pool_reach FROM hufu_app;
