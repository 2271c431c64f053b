SELECT json_object(
  'project', project,
  'namespace', name,
  'entries', (SELECT count(*) FROM entry WHERE entry.namespace = namespace.id),
  'default_ttl', ttl)
FROM namespace
WHERE meta = ''
ORDER BY project, name
