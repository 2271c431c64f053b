SELECT 'app.bench.' || name || '=' || value FROM entry
ORDER BY namespace, name
