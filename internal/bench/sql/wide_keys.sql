SELECT key FROM t
WHERE project = 'app' AND namespace = 'bench'
ORDER BY key
