SELECT project || '.' || name FROM namespace
WHERE meta = ''
ORDER BY project, name
