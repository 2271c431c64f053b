#!/bin/sh
# Runs every fuzz test of the packages named, $FUZZTIME each. It ends at the
# first that fails; the input is then in the package's testdata/fuzz, as a test.
set -eu
found=$(CGO_ENABLED=0 go test -list '^Fuzz' "$@")
echo "$found" | awk '
	/^Fuzz/    { names[++n] = $1 }
	$1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }
' | while read -r package name; do
	echo "== $package $name"
	CGO_ENABLED=0 go test -run '^$' -fuzz "^$name\$" -fuzztime "$FUZZTIME" "$package" </dev/null
done
