SELECT n.project || '.' || n.name || '.' || e.name FROM namespace n CROSS JOIN entry e ON e.namespace = n.id
WHERE n.meta = '' AND n.project = 'app'
ORDER BY n.project, n.name, e.name
LIMIT 10
