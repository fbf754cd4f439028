-- Who may call what. Functions come with EXECUTE for everybody; here only the application gets any, and neither what
-- builds or tells the reach of others nor trigger functions: hung on a table of one's own, those write as their owner.
-- What the views of `report` stand on is for their readers alone.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA hufu, report FROM PUBLIC, hufu_app, hufu_reader;

DO $$
DECLARE
    callable regprocedure;
BEGIN
    FOR callable IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = 'hufu'::regnamespace AND prorettype <> 'trigger'::regtype 
          AND proname NOT IN ('rebuild_reach', 'freshen_everybody', 'who_covers', 'quotas_of', 'quotas_standing',
                              'with_delegators', 'gates_on_principal', 'add_delegated_terms', 'delegated_limits',
                              'not_yet_counted', 'ways_to', 'lent_ways_to', 'duty_conflicts',
                              'gained', 'gained_unapproved', 'write_facts', 'what_waits_of', 'take_out_forbidden', 'take_out_lent',
                              'reporting_problem', 'closed_to_reporting', 'asked_record', 'is_approver', 'count_check',
                              'glass_in_force', 'add_glass_terms', 'glass_limits', 'pool_rebuild_reach',
                              'stays_without_business', 'fold_cells', 'repair_cells', 'place_shared_again')
          AND NOT starts_with(proname, 'find_duplicates_')
          AND NOT starts_with(proname, 'report_')
          AND proname !~ '^(rule|cells|build)_'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hufu_app', callable);
    END LOOP;
    FOR callable IN
        SELECT oid FROM pg_proc
        WHERE (pronamespace = 'hufu'::regnamespace AND starts_with(proname, 'report_'))
           OR pronamespace = 'report'::regnamespace
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO hufu_reader', callable);
    END LOOP;
END $$;
