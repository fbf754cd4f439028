-- Some of the customers, by number. Words and owners lie in the schema bench; dates are bunched towards now, names come
-- from a vocabulary in which few words are frequent, and no name comes twice.
INSERT INTO crm_customer (
    id, partition_id, owner_id, pool_id, department_id, created_at, created_by_id, updated_at, updated_by_id, lock_version,
    name, name_sort, name_initials, customer_level, stage, industry, source, region, code, phone, website, address,
    employees, founded, parent_company, note, void_reason, lock_reason, pending_tasks, code_repeated, valid_from, from_change)
SELECT c.i, c.place, CASE WHEN c.pooled THEN NULL ELSE s.user_id END, CASE WHEN c.pooled THEN c.place END,
       CASE WHEN bench.chance(c.i, 12) < 0.9 THEN s.department ELSE 1 + floor(600 * bench.chance(c.i, 13))::int END,
       c.at - bench.chance(c.i, 14) * interval '200 days', s.user_id, c.at, s.user_id, 1,
       CASE WHEN c.placed THEN city.word ELSE '' END || trade.word || line.word || '有限公司' || c.i,
       CASE WHEN c.placed THEN city.sort ELSE '' END || trade.sort || line.sort || 'youxiangongsi' || c.i,
       CASE WHEN c.placed THEN city.initials ELSE '' END || trade.initials || line.initials || 'yxgs' || c.i,
       (ARRAY['D', 'C', 'B', 'A'])[1 + width_bucket(bench.chance(c.i, 15), ARRAY[0.6, 0.85, 0.97])],
       (ARRAY['following', 'new', 'won', 'lost'])[1 + width_bucket(bench.chance(c.i, 16), ARRAY[0.6, 0.8, 0.95])],
       line.industry, source.key, city.word,
       CASE WHEN bench.chance(c.i, 17) < 0.5 THEN '91310000' || lpad(c.i::text, 10, '0') ELSE '' END,
       '', '', city.word || '市人民路' || 1 + c.i %% 2000 || '号',
       10 + floor(5000 * power(bench.chance(c.i, 18), 4))::int, 1980 + c.i %% 45, '', '', '', '', 0, false,
       %(moment)s, %(change)s
FROM (
    SELECT i, s.place, s.at, s.slot, place <= 4 AND bench.chance(i, 11) < 0.005 AS pooled, bench.chance(i, 19) < 0.7 AS placed
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
    CROSS JOIN LATERAL (
        SELECT n AS slot,
               CASE WHEN bench.chance(i, 4) < 0.85 THEN home ELSE 1 + floor(40 * power(bench.chance(i, 5), 2.5))::int END AS place,
               timestamptz '2026-01-15' - CASE WHEN dormant THEN interval '700 days' ELSE interval '0' END
                   - power(bench.chance(i, 6), 2.5) * interval '1825 days' AS at
        FROM bench.slot WHERE n = 1 + floor(%(slots)s * bench.chance(i, 3))::int) s) c
JOIN bench.slot s ON s.n = c.slot
JOIN bench.word city ON city.kind = 'city' AND city.n = floor(%(cities)s * power(bench.chance(c.i, 7), 2))::int
JOIN bench.word trade ON trade.kind = 'trade' AND trade.n = floor(%(trades)s * power(bench.chance(c.i, 8), 3))::int
JOIN bench.word line ON line.kind = 'line' AND line.n = floor(%(lines)s * power(bench.chance(c.i, 9), 2))::int
JOIN bench.source source ON source.n = floor(%(sources)s * power(bench.chance(c.i, 10), 2))::int
