"""What a rehearsal counts instead of reading everybody's records: cells, and what reaches people record by record.

What somebody views is cells that are viewed whole, and single records in others (docs/decisions/0036). The first is
summed here by what people's scopes can tell apart, for whoever puts before and after together
(hufu.access.change_sets.by_cells); the second is found here. A following type is counted by the cells of its parents.
"""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry
from hufu.access.registry import ResourceType
from hufu.core.schema import sql_file

# So many people's records are told apart at once: in memory, or their sums would be sorted on a disk.
HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp SET work_mem = '128MB'"
# By hashing: to sort cells takes several times as long.
HASHED = " SET enable_mergejoin = off SET enable_sort = off"
IN_FORCE = (
    "({0}.starts_at IS NULL OR {0}.starts_at <= (SELECT hufu.now()))"
    " AND ({0}.ends_at IS NULL OR {0}.ends_at > (SELECT hufu.now()))"
)


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL): what all types share, then what each has."""
    yield "access.previews", sql_file("hufu.access", "previews")
    for resource in registry.resource_types():
        yield f"access.previews.{resource.name}", _by_cells(resource)
    for resource in registry.resource_types():
        if resource.parent_type is None:
            yield f"access.previews.named.{resource.name}", _named(resource)


def _cells(resource: ResourceType) -> str:
    """Return the SQL relation of cells and how many records of the type lie in them."""
    parent = resource.parent_type
    if parent is None:
        return f"(SELECT * FROM hufu.cells WHERE type = '{resource.name}')"
    pool = "p.pool_id" if parent.pooled else "NULL::int AS pool_id"
    return f"""(SELECT p.partition_id, p.owner_id, p.department_id, {pool}, count(*) AS records
          FROM {resource.table} r JOIN {parent.table} p ON p.id = r.{resource.by_name[resource.parent].column}
          WHERE r.deleted_at IS NULL AND p.deleted_at IS NULL GROUP BY 1, 2, 3, 4)"""


# Owners (0: none) by which of some sets hold them, in classes of which there are few, and the same of departments. A
# set that is NULL holds all.
CLASSES = """
        WITH marked AS MATERIALIZED (
            SELECT u.id, hufu.marks(owner_sets, u.id) AS bits
            FROM (SELECT 0 AS id UNION ALL SELECT id FROM people_user) u WHERE owner_sets <> '{}'),
        owner_class AS MATERIALIZED (
            SELECT id, bits, dense_rank() OVER (ORDER BY bits)::int AS class FROM marked),
        owner_bits AS MATERIALIZED (SELECT DISTINCT class, bits FROM owner_class),
        department_bits AS MATERIALIZED (
            SELECT d.id, hufu.marks(department_sets, d.id) AS bits FROM people_department d WHERE owner_sets <> '{}')"""


def _by_cells(resource: ResourceType) -> str:
    table, head = resource.table, HEAD if resource.parent else HEAD + HASHED
    return f"""
-- How many records lie in each department of each partition, in pools told apart; `marks` are those of the sets of
-- owners and departments that hold both.
CREATE OR REPLACE FUNCTION hufu.preview_places_{table}(owner_sets bytea[], department_sets bytea[])
    RETURNS TABLE (partition_id int, department_id int, owned boolean, pool_id int, marks text, records bigint)
    LANGUAGE plpgsql STABLE {head} AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN QUERY {CLASSES}
        SELECT c.partition_id, c.department_id, c.owned, c.pool_id, (o.bits & d.bits)::text, c.records::bigint
        FROM (SELECT c.partition_id, c.department_id, c.owner_id IS NOT NULL AS owned, c.pool_id, o.class,
                     sum(c.records) AS records
              FROM {_cells(resource)} c LEFT JOIN owner_class o ON o.id = coalesce(c.owner_id, 0)
              GROUP BY c.partition_id, c.department_id, c.owner_id IS NOT NULL, c.pool_id, o.class) c
        LEFT JOIN owner_bits o ON o.class = c.class
        LEFT JOIN department_bits d ON d.id = c.department_id;
END $$;

-- How many records owners have who are asked about for somebody, in a partition and one department (NULL: in all, of
-- which those are told apart that are in the person's bitmap; 0 is any other).
CREATE OR REPLACE FUNCTION hufu.preview_owners_{table}(
    owner_sets bytea[], department_sets bytea[], people int[], told bytea[], asked int[], owners int[],
    partitions int[], departments int[])
    RETURNS TABLE (user_id int, partition_id int, owner_id int, department_id int, marks text, records bigint)
    LANGUAGE plpgsql STABLE {HEAD} AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN QUERY {CLASSES},
        whom AS MATERIALIZED (SELECT * FROM unnest(people, told) q (user_id, told)),
        pairs AS MATERIALIZED (
            SELECT * FROM unnest(asked, owners, partitions, departments)
                q (user_id, owner_id, partition_id, department_id))
        SELECT c.user_id, c.partition_id, c.owner_id, c.told, (o.bits & c.bits)::text, sum(c.records)::bigint
        FROM (SELECT c.user_id, c.partition_id, c.owner_id, d.bits, c.records,
                     CASE WHEN hufu.bit(w.told, c.department_id) THEN c.department_id ELSE 0 END AS told
              FROM ({_of_owners(resource)}) c
              JOIN whom w ON w.user_id = c.user_id LEFT JOIN department_bits d ON d.id = c.department_id) c
        LEFT JOIN owner_class o ON o.id = c.owner_id
        GROUP BY c.user_id, c.partition_id, c.owner_id, c.told, o.bits & c.bits;
END $$;
"""


def _of_owners(resource: ResourceType) -> str:
    """Return the SQL query for the cells of `pairs`. Of an independent type each is looked up, whatever is planned."""
    columns = "q.user_id, c.partition_id, c.owner_id, c.department_id, c.records"

    def joined(cells: str) -> str:
        return f"""SELECT {columns} FROM pairs q JOIN {cells} c
                      ON c.owner_id = q.owner_id AND c.partition_id = q.partition_id
                         AND (q.department_id IS NULL OR c.department_id = q.department_id)"""

    if resource.parent:
        return joined(_cells(resource))
    looked_up = (
        f"""SELECT {columns} FROM pairs q CROSS JOIN LATERAL (
                  SELECT s.* FROM access_cell s
                  WHERE s.type = '{resource.name}' AND s.partition_id = q.partition_id
                    AND s.owner_id = q.owner_id{within}
                  OFFSET 0) c
                  WHERE q.department_id IS {which}"""
        for within, which in ((" AND s.department_id = q.department_id", "NOT NULL"), ("", "NULL"))
    )
    changes = f"(SELECT * FROM access_cell_change WHERE type = '{resource.name}')"
    return "\n                  UNION ALL ".join([*looked_up, joined(changes)])


def _recipients(name: str) -> str:
    """Return the SQL query for all to whom records of a type are shared: a step each in an index of millions."""
    first, after = (
        f"""SELECT s.principal FROM access_shared_record s WHERE s.type = '{name}'{beyond}
            ORDER BY s.principal LIMIT 1"""
        for beyond in ("", " AND s.principal > each.principal")
    )
    return f"""
            WITH RECURSIVE each AS (({first}) UNION ALL SELECT ({after}) FROM each WHERE each.principal IS NOT NULL)
            SELECT principal::text FROM each WHERE principal IS NOT NULL"""


def _named(resource: ResourceType) -> str:
    """Return the SQL that finds what reaches people record by record, for one independent type."""
    table, name = resource.table, resource.name
    pool = "r.pool_id" if resource.pooled else "NULL::int"
    of_others = "".join(
        f" WHEN '{other.name}' THEN (SELECT count(*) FROM {other.table} k"
        f" WHERE k.{other.by_name[other.parent].column} = n.record_id AND k.deleted_at IS NULL)"
        for other in registry.resource_types()
        if other.parent_type is resource
    )
    amount = f"sum(CASE counted{of_others} ELSE 1 END)" if of_others else "count(*)"

    def shared(where: str, department: str) -> str:
        return f"""
            SELECT w.user_id, g.record_id, g.partition_id, g.owner_id, g.department_id, g.pool_id, true AS is_shared,
                   false AS is_across, NULL::varbit AS mark
            FROM places a JOIN whom w ON w.user_id = a.user_id
            CROSS JOIN LATERAL (
                SELECT s.* FROM access_shared_record s
                WHERE s.principal = w.principal AND s.type = '{name}' AND s.partition_id = a.partition_id
                  AND s.department_id {department} AND (NOT w.above OR s.superiors)
                  AND s.given_by IS DISTINCT FROM w.user_id AND {IN_FORCE.format("s")}
                OFFSET 0) g
            WHERE a.department_id {where}"""

    return f"""
-- What reaches people record by record in some partitions (in one department there, or with NULL in all): what is
-- shared with them, what a share lets across the wall to them, wherever it lies, and the matches of alternatives of
-- rules over fields that are named for them. How many records there are, or how many of a type that follows them.
-- Owners and departments that are told apart for somebody are in the bitmaps (0 is any other; without an owner NULL).
-- `marks`: a bit of its own for each alternative; as numbers in lists they would not fit into memory.
DROP FUNCTION IF EXISTS hufu.preview_named_{table}(text, int[], bytea[], bytea[], int[], int[], int[], int[], int[]);
CREATE OR REPLACE FUNCTION hufu.preview_named_{table}(
    counted text, people int[], told_owners bytea[], told_departments bytea[], placed int[], partitions int[],
    departments int[], reached int[], parts int[], marks varbit[])
    RETURNS TABLE (user_id int, partition_id int, owner_id int, department_id int, pool_id int, is_shared boolean,
                   is_across boolean, matched varbit, records bigint)
    LANGUAGE plpgsql STABLE {HEAD}{HASHED} AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN QUERY
        WITH asked AS MATERIALIZED (
            SELECT * FROM unnest(people, told_owners, told_departments) q (user_id, owners, departments)),
        places AS MATERIALIZED (
            SELECT * FROM unnest(placed, partitions, departments) q (user_id, partition_id, department_id)),
        sharing AS MATERIALIZED ({_recipients(name)}),
        whom AS MATERIALIZED (
            SELECT p.user_id, p.principal::text, false AS above
            FROM asked a JOIN access_principal p ON p.user_id = a.user_id
            WHERE p.principal IN (SELECT principal FROM sharing)
            UNION ALL
            SELECT DISTINCT t.user_id, p.principal::text, true
            FROM (SELECT DISTINCT g.principal FROM access_shared_record g WHERE g.type = '{name}' AND g.superiors) s
            JOIN access_principal p ON p.principal = s.principal
            JOIN access_term t ON t.term = 0 AND hufu.bit(t.owners, p.user_id)
            JOIN asked a ON a.user_id = t.user_id),
        matching AS MATERIALIZED (
            SELECT x.user_id, x.part, x.mark, a.partition_id, a.department_id
            FROM unnest(reached, parts, marks) x (user_id, part, mark) JOIN places a ON a.user_id = x.user_id),
        found AS MATERIALIZED (
            SELECT m.part, m.record_id, m.partition_id, m.owner_id, m.department_id, m.pool_id
            FROM (SELECT DISTINCT part FROM matching) x JOIN access_rule_match m ON m.part = x.part
            WHERE (m.part, m.partition_id, m.department_id) IN (SELECT part, partition_id, department_id FROM matching)
               OR (m.department_id IS NOT NULL AND (m.part, m.partition_id) IN (
                   SELECT part, partition_id FROM matching WHERE department_id IS NULL))),
        reaching AS (
            {shared("IS NULL", "IS NOT NULL")}
            UNION ALL {shared("IS NOT NULL", "= a.department_id")}
            UNION ALL
            SELECT a.user_id, r.id, r.partition_id, r.owner_id, r.department_id, {pool}, false, true, NULL
            FROM asked a
            JOIN hufu.shares s ON s.user_id = a.user_id AND s.type = '{name}' AND s.across_by IS NOT NULL
                AND s.given_by <> a.user_id
            JOIN {table} r ON r.id = s.record_id AND r.deleted_at IS NULL
            UNION ALL
            SELECT x.user_id, m.record_id, m.partition_id, m.owner_id, m.department_id, m.pool_id, false, false, x.mark
            FROM matching x JOIN found m ON m.part = x.part AND m.partition_id = x.partition_id
            WHERE x.department_id IS NULL OR m.department_id = x.department_id),
        named AS (
            SELECT u.user_id, u.record_id, u.partition_id,
                   CASE WHEN u.owner_id IS NULL OR hufu.bit(a.owners, u.owner_id) THEN u.owner_id ELSE 0 END
                       AS owner_id,
                   CASE WHEN hufu.bit(a.departments, u.department_id) THEN u.department_id ELSE 0 END AS department_id,
                   u.pool_id, bool_or(u.is_shared) AS is_shared, bool_or(u.is_across) AS is_across,
                   bit_or(u.mark)::varbit AS matched
            FROM reaching u JOIN asked a ON a.user_id = u.user_id
            GROUP BY 1, 2, 3, 4, 5, 6)
        SELECT n.user_id, n.partition_id, n.owner_id, n.department_id, n.pool_id, n.is_shared, n.is_across, n.matched,
               {amount}::bigint
        FROM named n GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
END $$;
"""
