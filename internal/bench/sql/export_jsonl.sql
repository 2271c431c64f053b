SELECT json_object(
  'address', 'app.bench.' || name,
  'project', 'app',
  'namespace', 'bench',
  'key', name,
  'context', context,
  'value', CAST(value AS TEXT),
  'revision', revision,
  'created_at', strftime('%Y-%m-%dT%H:%M:%fZ', created_at / 1000.0, 'unixepoch'),
  'updated_at', strftime('%Y-%m-%dT%H:%M:%fZ', updated_at / 1000.0, 'unixepoch'),
  'expires_at', NULL)
FROM entry
ORDER BY namespace, name
