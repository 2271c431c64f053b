SELECT count(*) FROM entry
WHERE expires_at IS NOT NULL
