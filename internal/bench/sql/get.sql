SELECT value FROM entry WHERE namespace = 1 AND name = 'key00000500'
