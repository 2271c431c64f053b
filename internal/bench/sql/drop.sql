DELETE FROM entry
WHERE namespace = (SELECT id FROM namespace WHERE meta = '' AND project = 'app' AND name = 'bench')
