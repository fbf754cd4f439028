"""What is shared, and what rules match, says in which cell it lies.

Matches are found anew when the program's SQL is installed. Shared records, of which there can be millions, are placed here:
indexes are built over all of them at once, not row by row.
"""

from django.db import migrations, models

KEEP = """
CREATE TABLE access_shared_record_before AS SELECT * FROM access_shared_record;
TRUNCATE access_shared_record, access_rule_match;
DELETE FROM access_rule_part;
"""
# Where there are records of another type than these, nothing is placed: all of it is when the SQL is installed.
PLACE = """
DO $$
DECLARE
    wanted bigint := (SELECT count(*) FROM access_shared_record_before);
    kept text;
    pool text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['customer', 'opportunity'] LOOP
        IF to_regclass('public.crm_' || kept) IS NOT NULL THEN
            -- Whoever comes from before pools gets them later in the same run, and has no record in one.
            pool := CASE WHEN EXISTS (
                SELECT 1 FROM pg_attribute
                WHERE attrelid = to_regclass('public.crm_' || kept) AND attname = 'pool_id' AND NOT attisdropped)
                THEN 'r.pool_id' ELSE 'NULL::int' END;
            EXECUTE format('
                INSERT INTO access_shared_record (id, source, source_id, type, record_id, principal, superiors, given_by,
                    starts_at, ends_at, partition_id, owner_id, department_id, pool_id, updated_at)
                SELECT b.id, b.source, b.source_id, b.type, b.record_id, b.principal, b.superiors, b.given_by, b.starts_at,
                    b.ends_at, b.partition_id, CASE WHEN r.deleted_at IS NULL THEN r.owner_id END,
                    CASE WHEN r.deleted_at IS NULL THEN r.department_id END,
                    CASE WHEN r.deleted_at IS NULL THEN %s END, b.updated_at
                FROM access_shared_record_before b JOIN public.%I r ON r.id = b.record_id WHERE b.type = %L',
                pool, 'crm_' || kept, kept);
        END IF;
    END LOOP;
    IF wanted <> (SELECT count(*) FROM access_shared_record) THEN
        TRUNCATE access_shared_record;
    END IF;
    DROP TABLE access_shared_record_before;
END $$;
"""
OF = models.Index(fields=["type", "record_id"], name="access_shared_record_of")
STREAM = models.Index(
    fields=["principal", "type", "-updated_at", "-record_id"],
    include=("partition_id", "superiors", "given_by", "starts_at", "ends_at"),
    name="access_shared_record_stream",
)
ABOVE = models.Index(
    condition=models.Q(("superiors", True)), fields=["type", "principal"], name="access_shared_record_above"
)
IN_CELL = models.Index(
    condition=models.Q(("department_id__isnull", False)),
    fields=["principal", "type", "partition_id", "department_id"],
    include=("owner_id", "pool_id", "record_id", "superiors", "given_by", "starts_at", "ends_at"),
    name="access_shared_record_in_cell",
)
ONCE = models.UniqueConstraint(fields=("source", "source_id"), name="access_shared_record_once")


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0029_rule_matches_in_order"),
    ]

    operations = [
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
        *(migrations.RemoveIndex("sharedrecord", index.name) for index in (OF, STREAM, ABOVE)),
        migrations.RemoveConstraint("sharedrecord", ONCE.name),
        *(
            migrations.AddField(model, name, models.IntegerField(null=True))
            for model, names in (
                ("sharedrecord", ("owner_id", "department_id", "pool_id")),
                ("rulematch", ("partition_id", "owner_id", "department_id", "pool_id")),
            )
            for name in names
        ),
        migrations.RunSQL(PLACE, migrations.RunSQL.noop),
        migrations.AddConstraint("sharedrecord", ONCE),
        *(migrations.AddIndex("sharedrecord", index) for index in (OF, STREAM, ABOVE, IN_CELL)),
    ]
