# calls.bash WHAT TIMES RUN PROGRAM [PLACE]: WHAT is done by PROGRAM in a loop, as a
# script does it that wants the value in a variable. PLACE is a database, a file or
# a port. Every value that is written is a new one.
# shellcheck disable=SC2034
set -euo pipefail
what=$1 times=$2 run=$3 program=$4 place=${5-}
key=app.bench.key00000500
in="WHERE namespace = 1 AND name = 'key00000500'"

case $what in
pdb_*)
	export PRONTODB_DATABASE=$place
	eval "$("$program" init bash)"
	;;
esac

case $what in
nothing) for ((i = 0; i < times; i++)); do v="value $run-$i"; done ;;

pdb_get) for ((i = 0; i < times; i++)); do pdb get $key; v=$REPLY; done ;;
pdb_set) for ((i = 0; i < times; i++)); do pdb set $key "value $run-$i"; done ;;
pdb_incr) for ((i = 0; i < times; i++)); do pdb incr app.bench.n >/dev/null; done ;;

prontodb_get) for ((i = 0; i < times; i++)); do v=$("$program" -d "$place" get $key); done ;;
prontodb_set) for ((i = 0; i < times; i++)); do "$program" -d "$place" set $key "value $run-$i"; done ;;
prontodb_incr) for ((i = 0; i < times; i++)); do v=$("$program" -d "$place" incr app.bench.n); done ;;

sqlite3_get) for ((i = 0; i < times; i++)); do v=$("$program" "$place" "SELECT value FROM entry $in"); done ;;
sqlite3_set) for ((i = 0; i < times; i++)); do "$program" "$place" "UPDATE entry SET value = 'value $run-$i', revision = revision + 1 $in"; done ;;
sqlite3_incr)
	for ((i = 0; i < times; i++)); do
		v=$("$program" "$place" "INSERT INTO entry VALUES (1, 'n', '', 1, 1, 1, NULL, 1, NULL) ON CONFLICT DO UPDATE SET value = value + 1, revision = revision + 1 RETURNING value")
	done
	;;

redis_get) for ((i = 0; i < times; i++)); do v=$("$program" -p "$place" get $key); done ;;
redis_set) for ((i = 0; i < times; i++)); do "$program" -p "$place" set $key "value $run-$i"; done ;;
redis_incr) for ((i = 0; i < times; i++)); do v=$("$program" -p "$place" incr app.bench.n); done ;;

cat_get) for ((i = 0; i < times; i++)); do v=$("$program" "$place"); done ;;
*)
	echo "calls.bash: no $what" >&2
	exit 1
	;;
esac >/dev/null
