\set department random(1, :departments)
\set state random(1, 3)
WITH page AS (
  SELECT c.* FROM complaints c
  WHERE c.department_id = (SELECT id FROM bench_departments WHERE n = :department)
    AND c.state = (ARRAY['CLOSED', 'ANSWERED', 'ASSIGNED'])[:state]
  ORDER BY c.received_at DESC, c.id DESC LIMIT 25
)
SELECT json_agg(json_build_object('id', p.id, 'receivedAt', p.received_at, 'state', p.state, 'text', p.text, 'costVnd', p.cost_vnd,
  'category', (SELECT json_build_object('code', k.code, 'nameVi', k.name_vi) FROM issue_categories k WHERE k.id = p.category_id),
  'unit', (SELECT json_build_object('code', u.code, 'nameVi', u.name_vi) FROM units u WHERE u.id = p.unit_id),
  'enterprise', (SELECT json_build_object('taxCode', e.tax_code, 'name', e.name) FROM enterprises e WHERE e.id = p.enterprise_id),
  'officers', (SELECT json_agg(json_build_object('finding', o.finding, 'code', f.code, 'name', f.name)) FROM complaint_officers o JOIN officers f ON f.id = o.officer_id WHERE o.complaint_id = p.id),
  'responses', (SELECT json_agg(json_build_object('respondedAt', r.responded_at, 'text', r.text)) FROM (SELECT * FROM unit_responses r WHERE r.complaint_id = p.id ORDER BY r.responded_at, r.id LIMIT 5) r)))
FROM page p;
