INSERT INTO entry VALUES ((SELECT id FROM namespace WHERE meta = '' AND project = 'app' AND name = 'bench'), 'set{p}', '', 1, 1, 1, NULL, 'value {i}', NULL)
ON CONFLICT DO UPDATE SET value = excluded.value, revision = revision + 1
