CREATE TABLE t (
  project TEXT,
  namespace TEXT,
  key TEXT,
  value TEXT,
  UNIQUE (project, namespace, key)
)
