-- Who may call what. Functions come with EXECUTE for everybody; here only the application gets any, and neither the
-- building of reach nor trigger functions: hung on a table of one's own, those would write as their owner.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA hufu FROM PUBLIC, hufu_app;

DO $$
DECLARE
    callable regprocedure;
BEGIN
    FOR callable IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'hufu'::regnamespace AND prorettype <> 'trigger'::regtype AND proname <> 'rebuild_reach'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hufu_app', callable);
    END LOOP;
END $$;
