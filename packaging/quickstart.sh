#!/bin/sh
# A tour of prontodb in a scratch folder: prints each command and its real
# output. usage: quickstart.sh PRONTODB
set -eu
bin=$(cd "$(dirname "$1")" && pwd)
PATH=$bin:$PATH
HOME=$(mktemp -d)
trap 'rm -rf "$HOME"' EXIT
export HOME
unset XDG_DATA_HOME XDG_CONFIG_HOME

say() { printf '\n# %s\n' "$*"; }
run() {
	printf '$ %s\n' "$*"
	status=0
	sh -c "$*" || status=$?
	[ "$status" -eq 0 ] || printf '(exit status %s)\n' "$status"
}

say 'Store a value under PROJECT.NAMESPACE.KEY, and read it in another process'
run 'prontodb set myapp.config.environment production'
run 'prontodb get myapp.config.environment'

say 'A miss prints nothing and exits 2, so that a script can tell it from an error'
run 'prontodb get myapp.config.color'
run 'prontodb get myapp.config.color || echo "no color, exit status $?"'

say 'List keys and values; count without a race'
run 'prontodb set myapp.config.db.host db1.internal'
run 'prontodb scan myapp.config'
run 'prontodb incr myapp.stats.builds; prontodb incr myapp.stats.builds'

say 'A variant of a key lives in a context'
run 'prontodb set myapp.config.environment__dev development'
run 'prontodb get --context dev myapp.config.environment'

say 'Take a job only if nobody else has: the second one exits 3'
run 'prontodb set --nx jobs.owner.build-17 agent1'
run 'prontodb set --nx jobs.owner.build-17 agent2'

say 'A cursor names a database'
run 'prontodb cursor set staging'
run 'prontodb --cursor staging set myapp.config.environment staging'
run 'prontodb --cursor staging get myapp.config.environment'
run 'prontodb cursor list'

say 'Users share nothing'
run 'prontodb --user agent1 set status busy'
run 'prontodb --user agent2 get status'
run 'prontodb users'

say 'In a cache, entries expire'
run 'prontodb create-cache web.session 30m'
run 'prontodb set web.session.u42 token'
run 'prontodb ttl web.session.u42'
