package crashes

import "strings"

// writing is a command that writes.
type writing struct {
	name  string
	setup string // a script that comes before
	line  string // the command, in words
	// parts is whether it changes several things one after the other, each whole
	// or not at all, and may fail between them.
	parts bool
	steps []string // scripts that lead to states in between
	long  bool     // only with PRONTODB_CRASHES=all
	// varies is whether it tells how far it came with what need not succeed.
	varies bool
}

// hasty is a setup: nobody waits long for a lock that can't be had.
const hasty = "mkdir -p .config/prontodb; echo busy-timeout 300ms >.config/prontodb/config\n"

const someEntries = hasty + old + `
prontodb set a.b.c 1; prontodb set a.b.d 2; prontodb create-cache a.cache 1h; prontodb set a.cache.k v
prontodb cursor set c1; prontodb cursor set c2 main --meta m; prontodb cursor use c2; prontodb cursor clear
printf 'set a.b.c 3\nincr a.b.d\nset x.y.z v\n' >batch.txt
printf '{"address":"a.b.c","value":"4"}\n{"address":"a.new.k","value":"5"}\n' >in.jsonl
`

// fullLog is a setup: the next commit moves the log into the database.
const fullLog = someEntries + `seq 40 | sed 's/.*/{"address":"f.f.k&","value":"'"$(printf %3000s x)"'"}/' | prontodb import -q -`

func writings() []writing {
	return []writing{
		{name: "set into nothing", setup: hasty, line: "prontodb set a.b.c v"},
		{name: "set", setup: someEntries, line: "prontodb set a.b.c v"},
		{name: "set and checkpoint", setup: fullLog, line: "prontodb set a.b.c v"},
		{name: "set, not synced", setup: someEntries, line: "prontodb set --sync normal a.b.c v"},
		{name: "set elsewhere", setup: someEntries, line: "prontodb set -d elsewhere.db a.b.c v"},
		{name: "set by a cursor", setup: someEntries + "prontodb cursor use c2", line: "prontodb set a.b.c v"},
		{name: "set by a new cursor", setup: someEntries, line: "prontodb set --cursor c3 -q a.b.c v", parts: true},
		{name: "incr", setup: someEntries, line: "prontodb incr a.b.d"},
		{name: "del", setup: someEntries, line: "prontodb del a.b.c a.b.d"},
		{name: "copy", setup: someEntries, line: "prontodb copy a.b.c a.b.e"},
		{name: "move", setup: someEntries, line: "prontodb move a.b.c a.b.e"},
		{name: "touch", setup: someEntries, line: "prontodb touch a.cache.k 2h"},
		{name: "drop", setup: someEntries, line: "prontodb drop a.b --yes"},
		{name: "create-cache", setup: someEntries, line: "prontodb create-cache a.other 1h"},
		{name: "create-cache, converting", setup: someEntries, line: "prontodb create-cache a.b 1h --convert"},
		{name: "drop-cache", setup: someEntries, line: "prontodb drop-cache a.cache --yes"},
		{name: "batch", setup: someEntries, line: "prontodb batch batch.txt"},
		{name: "batch by lines", setup: someEntries, line: "prontodb batch --each batch.txt", parts: true, steps: []string{"prontodb set a.b.c 3", "prontodb incr a.b.d"}},
		{name: "import", setup: someEntries, line: "prontodb import -q in.jsonl"},
		{name: "import into nothing", setup: hasty + `printf '{"address":"a.b.c","value":"4"}' >in.jsonl`, line: "prontodb import -q in.jsonl"},
		{name: "set a large value", setup: someEntries, line: "prontodb set a.b.c " + strings.Repeat("x", 100_000)},
		{name: "compact", setup: fullLog + "\nprontodb drop f.f --yes", line: "prontodb compact -q", varies: true},
		{name: "export", setup: someEntries, line: "prontodb export -o out.jsonl"},
		{name: "cursor set for the first time", setup: hasty, line: "prontodb cursor set c1"},
		{name: "cursor set", setup: someEntries, line: "prontodb cursor set c1 main --meta n"},
		{name: "cursor use", setup: someEntries, line: "prontodb cursor use c1"},
		{name: "cursor clear", setup: someEntries + "prontodb cursor use c1", line: "prontodb cursor clear"},
		{name: "cursor delete", setup: someEntries, line: "prontodb cursor delete c1"},
		{name: "cursor delete, in use", setup: someEntries + "prontodb cursor use c1", line: "prontodb cursor delete c1", parts: true},
		{name: "backup", setup: someEntries, line: "prontodb backup -q"},
		{name: "backup to a file", setup: someEntries, line: "prontodb backup -q --output b.tar.gz"},
		{name: "backup, keeping two", setup: someEntries + "prontodb backup -q; prontodb backup -q", line: "prontodb backup -q --keep 2", parts: true},
		{name: "restore", setup: someEntries + archive, line: "prontodb restore -q in.tar.gz", parts: true},
		{name: "restore on a fresh machine", setup: hasty + archive, line: "prontodb restore -q in.tar.gz", parts: true},
		{name: "restore over what is damaged", setup: hasty + archive + "\n" + old + "; printf 'no database at all' >" + database, line: "prontodb restore -q in.tar.gz", parts: true},
		{name: "install", setup: hasty, line: "prontodb install -q", parts: true, long: true},
		{name: "install again", setup: hasty + "prontodb install -q", line: "prontodb install -q", parts: true, long: true},
		{name: "uninstall", setup: hasty + "prontodb install -q", line: "prontodb uninstall -q", parts: true, long: true},
		{name: "uninstall and purge", setup: someEntries, line: "prontodb uninstall -q --purge --yes", parts: true, long: true},
	}
}
