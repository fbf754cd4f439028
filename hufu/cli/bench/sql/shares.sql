-- Two shares by hand for ten customers: half of them with people, three of ten with groups, few of which get most, the
-- rest with departments.
INSERT INTO access_share (type, record_id, user_id, group_id, department_id, below, post, access, superiors, reason, given_by,
                          valid_from, from_change)
SELECT 'customer', t.record, CASE WHEN t.kind < 0.5 THEN t.person END,
       CASE WHEN t.kind >= 0.5 AND t.kind < 0.8 THEN 1 + floor(300 * power(bench.chance(t.i, 34), 2))::int END,
       CASE WHEN t.kind >= 0.8 THEN 1 + floor(600 * bench.chance(t.i, 35))::int END, false, '',
       CASE WHEN bench.chance(t.i, 36) < 0.3 THEN 'edit' ELSE 'read' END, false, '联合跟进', s.user_id, %(moment)s, %(change)s
FROM (
    SELECT i, 1 + floor(%(records)s * bench.chance(i, 31))::bigint AS record, bench.chance(i, 32) AS kind,
           1 + floor(%(sellers)s * bench.chance(i, 33))::int AS person
    FROM generate_series(1, %(records)s * 2 / 10) i) t
JOIN bench.slot s ON s.n = 1 + floor(%(slots)s * bench.chance(t.record, 3))::int
WHERE s.user_id <> t.person
