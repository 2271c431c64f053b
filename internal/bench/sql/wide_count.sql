SELECT count(*) FROM t
WHERE project = 'app' AND namespace = 'bench'
