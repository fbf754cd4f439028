-- A company made at once: people, departments, a reporting line, partitions, roles by archetype, groups, pools.
-- Whoever runs this gave bench.archetype (title, scope, admitted, sells), bench.numbers (title, first, last) and, as
-- parameters, how many people there are and how many report to one.

-- A number between 0 and 1 that depends on a number and on what it is for: the same data at every run.
CREATE FUNCTION bench.chance(number bigint, purpose int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(number, purpose) & 9007199254740991)::float8 / 9007199254740992 $$;

-- 600 departments in six levels; numbers follow one another by level.
INSERT INTO people_department (id, parent_id, name, code) VALUES (1, NULL, '总部', 'D001');
INSERT INTO people_department (id, parent_id, name, code)
SELECT id, parent, '部门' || id, 'D' || lpad(id::text, 3, '0') FROM (
    SELECT 1 + i AS id, 1 AS parent FROM generate_series(1, 3) i
    UNION ALL SELECT 4 + i, 2 + (i - 1) %% 3 FROM generate_series(1, 9) i
    UNION ALL SELECT 13 + i, 5 + (i - 1) %% 9 FROM generate_series(1, 60) i
    UNION ALL SELECT 73 + i, 14 + (i - 1) %% 60 FROM generate_series(1, 200) i
    UNION ALL SELECT 273 + i, 74 + (i - 1) %% 200 FROM generate_series(1, 327) i) d;

INSERT INTO access_company (id, name, mode) VALUES (1, '总部', 'standard');
INSERT INTO access_partition (id, key, name) SELECT i, 'p' || i, '分区' || i FROM generate_series(1, 40) i;

-- Who is who. Managers stand above a ninth of all departments; the others of one superior sit close together, and sell
-- mostly in one partition, the first ones more than the last; in the last two sits nobody.
CREATE TABLE bench.person AS
SELECT i AS id,
       CASE WHEN n.title = 'representative' AND i %% %(dormant_every)s = 0 THEN 'dormant representative' ELSE n.title END AS title,
       CASE WHEN i > 1 THEN (i - 2) / %(reports)s + 1 END AS manager,
       CASE WHEN i = 1 THEN 1 WHEN a.scope = 'department_and_below' THEN 5 + i %% 9
            ELSE 1 + ((i - 2) / %(reports)s * 7 + i %% 4) %% 600 END AS department,
       CASE WHEN i = 1 THEN 1 ELSE 1 + floor(38 * power((i - 2) / %(reports)s * 7919 %% 1000 / 1000.0, 2))::int END AS home
FROM generate_series(1, %(users)s) i
JOIN bench.numbers n ON i BETWEEN n.first AND n.last JOIN bench.archetype a USING (title);

INSERT INTO people_user (id, username, name, name_sort, password, email, title, status, main_department_id, manager_id, language)
SELECT id, 'u' || id, '员工' || id, 'yuangong' || id, '!', 'u' || id || '@example.com', title, 'active', department, manager, ''
FROM bench.person ORDER BY id;

-- A role and a position for each archetype.
CREATE TABLE bench.job AS
SELECT row_number() OVER (ORDER BY title)::int AS id, title, replace(title, ' ', '_') AS key, scope, admitted, sells
FROM bench.archetype;
INSERT INTO access_role (id, key, name, description, administrator) SELECT id, key, title, '', '' FROM bench.job;
INSERT INTO access_grant (role_id, permission, scope)
SELECT j.id, p.permission, coalesce(p.scope, j.scope) FROM bench.job j, bench.permission p;
INSERT INTO people_position (id, key, name) SELECT id, key, title FROM bench.job;
INSERT INTO people_position_holder (position_id, user_id) SELECT j.id, p.id FROM bench.person p JOIN bench.job j USING (title);
INSERT INTO access_assignment (role_id, position_id, reason, given_by) SELECT id, id, '岗位职责', -1 FROM bench.job;

INSERT INTO access_admission (partition_id, user_id, can_create, can_edit, can_delete, reason, given_by)
SELECT DISTINCT place, id, true, true, false, '岗位职责', -1 FROM (
    SELECT p.id, p.home AS place FROM bench.person p JOIN bench.job j USING (title) WHERE j.admitted IN ('home', 'some', 'several')
    UNION ALL
    SELECT p.id, 1 + (p.home + k * 5 + p.id) %% 38
    FROM bench.person p JOIN bench.job j USING (title), generate_series(1, 4) k
    WHERE j.admitted = 'several' OR j.admitted = 'some' AND k <= 2 AND (p.id + k) %% 3 <> 0
    UNION ALL
    SELECT p.id, place FROM bench.person p JOIN bench.job j USING (title), generate_series(1, 40) place WHERE j.admitted = 'everywhere'
    UNION ALL
    SELECT p.id, 40 - p.id %% 2 FROM bench.person p JOIN bench.job j USING (title) WHERE j.admitted = 'rare') admitted;

-- Groups of very different sizes; some representatives are in many.
INSERT INTO people_group (id, key, name) SELECT i, 'g' || i, '小组' || i FROM generate_series(1, 300) i;
INSERT INTO people_group_member (group_id, user_id)
SELECT DISTINCT 1 + floor(300 * power(bench.chance(p.id, 100 + k), 1.7))::int, p.id
FROM bench.person p, generate_series(1, 5) k WHERE p.title <> 'nobody' AND bench.chance(p.id, 200 + k) < 0.5
UNION
SELECT 1 + floor(300 * bench.chance(p.id, 300 + k))::int, p.id
FROM bench.person p, generate_series(1, 20) k WHERE p.title = 'representative with thousands of shares';

-- A pool in each of the four partitions with the most customers, for one group.
INSERT INTO access_pool (id, key, name, type, partition_id) SELECT i, 'pool' || i, '公海' || i, 'customer', i FROM generate_series(1, 4) i;
INSERT INTO access_pool_member (pool_id, group_id) SELECT i, 290 + i FROM generate_series(1, 4) i;
INSERT INTO access_pool_hidden (pool_id, type, field) SELECT i, 'customer', 'phone' FROM generate_series(1, 4) i;

-- Who owns how much: one slot a customer is drawn from. Most own a usual share, some many times as much; each of the three
-- house accounts owns two of a hundred.
CREATE TABLE bench.slot AS
WITH weight AS (
    SELECT p.id, p.title, p.department, p.home,
           round(20 * exp(0.8 * sqrt(-2 * ln(1 - bench.chance(p.id, 1))) * cos(2 * pi() * bench.chance(p.id, 2))))::int AS slots
    FROM bench.person p JOIN bench.job j USING (title) WHERE j.sells AND p.title <> 'house account'),
house AS (
    SELECT p.id, p.title, p.department, p.home,
           (SELECT ceil(sum(w.slots) * 0.02 / 0.94)::int FROM weight w) AS slots
    FROM bench.person p WHERE p.title = 'house account')
SELECT row_number() OVER (ORDER BY s.id, slot)::int AS n, s.id AS user_id, s.department, s.home, s.title = 'dormant representative' AS dormant
FROM (SELECT * FROM weight UNION ALL SELECT * FROM house) s, generate_series(1, s.slots) slot;
ALTER TABLE bench.slot ADD PRIMARY KEY (n);
ANALYZE bench.slot;
