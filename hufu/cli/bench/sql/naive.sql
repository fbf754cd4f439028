-- What one WHERE would say of the customers that somebody may view: as a program does that asks its tables directly.
crm_customer.partition_id IN (SELECT a.partition_id FROM access_admission a WHERE a.user_id = %(me)s)
AND (%(scope)s = 'everything'
     OR crm_customer.owner_id = %(me)s
     OR (%(scope)s = 'subordinates' AND crm_customer.owner_id IN (
         WITH RECURSIVE line (id) AS (
             SELECT u.id FROM people_user u WHERE u.manager_id = %(me)s
             UNION SELECT u.id FROM line JOIN people_user u ON u.manager_id = line.id)
         SELECT line.id FROM line))
     OR (%(scope)s = 'department_and_below' AND crm_customer.owner_id IS NOT NULL AND crm_customer.department_id IN (
         WITH RECURSIVE tree (id) AS (
             SELECT u.main_department_id FROM people_user u WHERE u.id = %(me)s
             UNION SELECT d.id FROM tree JOIN people_department d ON d.parent_id = tree.id)
         SELECT tree.id FROM tree))
     OR crm_customer.id IN (
         SELECT m.record_id FROM access_team_member m WHERE m.type = 'customer' AND m.user_id = %(me)s)
     OR crm_customer.id IN (
         SELECT s.record_id FROM access_share s
         WHERE s.type = 'customer' AND s.given_by <> %(me)s
           AND (s.user_id = %(me)s
                OR s.group_id IN (SELECT g.group_id FROM people_group_member g WHERE g.user_id = %(me)s)
                OR s.department_id IN (SELECT u.main_department_id FROM people_user u WHERE u.id = %(me)s)))
     OR crm_customer.id IN (
         SELECT m.record_id FROM access_rule_match m JOIN access_rule_part p ON p.id = m.part
         JOIN access_rule_reach r ON r.rule_id = p.rule_id WHERE r.user_id = %(me)s)
     OR crm_customer.owner_id IN (
         SELECT u.id FROM people_user u, access_rule_part p JOIN access_rule_reach r ON r.rule_id = p.rule_id
         WHERE r.user_id = %(me)s AND NOT p.by_fields AND hufu.bit(p.owners, u.id))
     OR crm_customer.pool_id IN (SELECT r.pool_id FROM access_pool_reach r WHERE r.user_id = %(me)s))
