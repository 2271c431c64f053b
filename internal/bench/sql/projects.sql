SELECT DISTINCT project FROM namespace
WHERE meta = ''
ORDER BY project
