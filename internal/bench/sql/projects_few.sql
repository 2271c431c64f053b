WITH RECURSIVE p (project) AS (
  SELECT min(project) FROM namespace WHERE meta = ''
  UNION ALL
  SELECT (SELECT min(project) FROM namespace WHERE meta = '' AND project > p.project) FROM p
  WHERE project IS NOT NULL
)
SELECT project FROM p
WHERE project IS NOT NULL
