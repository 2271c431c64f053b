# loop_prontodb.sh PRONTODB DATABASE TIMES RUN
set -e
i=0
while [ $i -lt "$3" ]; do
	"$1" -d "$2" set app.bench.key00000500 "value $4-$i"
	"$1" -d "$2" get app.bench.key00000500
	"$1" -d "$2" incr app.bench.n
	"$1" -d "$2" get app.bench.n
	"$1" -d "$2" exists app.bench.key00000501
	"$1" -d "$2" keys app.bench key000007 --limit 10
	i=$((i + 1))
done
