package cli

import (
	"path/filepath"
	"strings"

	"prontodb/internal/cmdline"
)

const (
	formatJSON = "jsonl"
	formatTSV  = "tsv"
	formatEnv  = "env"
)

const formatHelp = `jsonl carries everything: the JSON of an entry, a line each, as get --json prints
it, and {"project":…,"namespace":…,"default_ttl":…} for a cache.
tsv is ADDRESS, a tab, VALUE. It carries text without tabs and line ends, and
entries that do not expire; revisions and times are left out.
env is NAME='VALUE' for a shell: the key in upper case, every other character as
_. It carries names and values, nothing else, and no NUL.`

func formatFlag(f *cmdline.Flags, p *string) {
	f.OneOf(p, "format", "", "`jsonl|tsv|env` (default by FILE's name, else jsonl)", formatJSON, formatTSV, formatEnv)
}

// formatOf is the format that a file name stands for.
func formatOf(name string) string {
	switch base := filepath.Base(name); {
	case strings.HasSuffix(base, ".tsv"), strings.HasSuffix(base, ".tab"):
		return formatTSV
	case strings.HasSuffix(base, ".env"), strings.HasPrefix(base, ".env."):
		return formatEnv
	}
	return formatJSON
}
