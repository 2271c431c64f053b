# loop_sqlite3.sh SQLITE3 DATABASE TIMES RUN
set -e
i=0
while [ $i -lt "$3" ]; do
	"$1" "$2" "UPDATE entry SET value = 'value $4-$i', revision = revision + 1 WHERE namespace = 1 AND name = 'key00000500'"
	"$1" "$2" "SELECT value FROM entry WHERE namespace = 1 AND name = 'key00000500'"
	"$1" "$2" "INSERT INTO entry VALUES (1, 'n', '', 1, 1, 1, NULL, 1, NULL) ON CONFLICT DO UPDATE SET value = value + 1, revision = revision + 1 RETURNING value"
	"$1" "$2" "SELECT value FROM entry WHERE namespace = 1 AND name = 'n'"
	"$1" "$2" "SELECT 1 FROM entry WHERE namespace = 1 AND name = 'key00000501'"
	"$1" "$2" "SELECT name FROM entry WHERE namespace = 1 AND name >= 'key000007' AND name < 'key000008' ORDER BY name LIMIT 10"
	i=$((i + 1))
done
