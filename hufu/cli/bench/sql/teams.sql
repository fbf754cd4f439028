-- Three members of a team for ten customers: two of five are representatives with thousands of shares, few of whom are in
-- most teams.
INSERT INTO access_team_member (type, record_id, user_id, access, role, added_at, added_by, valid_from, from_change)
SELECT 'customer', t.record, t.member, CASE WHEN bench.chance(t.record, 25) < 0.4 THEN 'edit' ELSE 'read' END, '',
       %(moment)s, s.user_id, %(moment)s, %(change)s
FROM (
    SELECT DISTINCT 1 + floor(%(records)s * bench.chance(i, 20))::bigint AS record,
           CASE WHEN bench.chance(i, 21) < 0.4
                THEN %(first_shared)s + floor(%(shared)s * power(bench.chance(i, 22), 1.5))::int
                ELSE 1 + floor(%(sellers)s * bench.chance(i, 23))::int END AS member
    FROM generate_series(1, %(records)s * 3 / 10) i) t
JOIN bench.slot s ON s.n = 1 + floor(%(slots)s * bench.chance(t.record, 3))::int
WHERE s.user_id <> t.member
