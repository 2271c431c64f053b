UPDATE entry SET value = 'value {i}', revision = revision + 1
WHERE namespace = 1 AND name = 'key00000500'
