# loop_redis.sh REDIS-CLI PORT TIMES RUN
set -e
i=0
while [ $i -lt "$3" ]; do
	"$1" -p "$2" set app.bench.key00000500 "value $4-$i"
	"$1" -p "$2" get app.bench.key00000500
	"$1" -p "$2" incr app.bench.n
	"$1" -p "$2" get app.bench.n
	"$1" -p "$2" exists app.bench.key00000501
	"$1" -p "$2" zrangebylex keys '[key000007' '(key000008' limit 0 10
	i=$((i + 1))
done
