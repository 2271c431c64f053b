SELECT sql || ';' FROM sqlite_schema
WHERE tbl_name = 'entry' AND sql IS NOT NULL
