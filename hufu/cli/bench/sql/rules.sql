-- Sharing rules: the key accounts with a group, those of one city with another, those of a department's owners with a
-- third, and a territory with another one below it. They find their records when reach is built.
INSERT INTO access_rule (id, key, name, type, access, condition, territory, parent_id) VALUES
    (1, 'key_accounts', '大客户', 'customer', 'read', '{"field": "customer_level", "is": ["A"]}', false, NULL),
    (2, 'of_the_city', '本市客户', 'customer', 'edit', jsonb_build_object('field', 'region', 'is',
        jsonb_build_array((SELECT word FROM bench.word WHERE kind = 'city' AND n = %(cities)s - 1))), false, NULL),
    (3, 'of_the_department', '部门客户', 'customer', 'read', '{"owner_department": 100, "below": true}', false, NULL),
    (4, 'country', '全国', 'customer', 'read', NULL, true, NULL),
    (5, 'medical', '医疗行业', 'customer', 'read',
     '{"all": [{"field": "industry", "is": ["medical"]}, {"field": "stage", "is": ["lost"]}]}', true, 4);
INSERT INTO access_rule_to (rule_id, group_id) VALUES (1, 281), (2, 282), (3, 283), (4, 284), (5, 285);
