-- Data keys, wrapped under the master key, which is nowhere in this database (hufu/core/vault).

CREATE SCHEMA IF NOT EXISTS hufu;
CREATE TABLE IF NOT EXISTS hufu.data_key (
    purpose text NOT NULL,
    version int NOT NULL CHECK (version BETWEEN 1 AND 65535),
    wrapped bytea,
    master_version int NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'old', 'retired')),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (purpose, version),
    CHECK ((wrapped IS NULL) = (state = 'retired')));
CREATE UNIQUE INDEX IF NOT EXISTS data_key_active ON hufu.data_key (purpose) WHERE state = 'active';
GRANT SELECT ON hufu.data_key TO hufu_app;

-- The version that seals now. INVARIANT: whoever seals holds this lock until the transaction ends, and a version is
-- retired only under the same lock, exclusively: nothing can be sealed with a key that is erased before the commit.
CREATE OR REPLACE FUNCTION hufu.sealing_version(wanted text) RETURNS int LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(4853, 1);
    RETURN (SELECT version FROM hufu.data_key WHERE purpose = wanted AND state = 'active');
END $$;
