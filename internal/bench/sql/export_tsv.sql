SELECT 'app.bench.' || name || char(9) || value FROM entry
ORDER BY namespace, name
