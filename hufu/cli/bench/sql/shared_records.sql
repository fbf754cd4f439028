-- Where what is shared stands in lists: what triggers write one by one.
INSERT INTO access_shared_record (source, source_id, type, record_id, principal, superiors, given_by, starts_at, ends_at,
                                  partition_id, owner_id, department_id, pool_id, updated_at)
SELECT g.source, g.source_id, g.type, g.record_id, g.principal, g.superiors, g.given_by, g.starts_at, g.ends_at,
       c.partition_id, c.owner_id, c.department_id, c.pool_id, c.updated_at
FROM hufu.given_records g JOIN crm_customer c ON c.id = g.record_id
WHERE g.type = 'customer'
