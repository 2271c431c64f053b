package cli

import (
	"fmt"
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
_. It carries names and values, nothing else, and no NUL. Values are written as
all who read .env files read them, where that can be, and else (as one with both
kinds of quotes) for a shell alone.`

func formatFlag(f *cmdline.Flags, p *string) {
	f.OneOf(p, "format", "", "`jsonl|tsv|env` (default by FILE's name, else jsonl)", formatJSON, formatTSV, formatEnv)
}

// formatOf is the format that the ending of a file name stands for; a name
// without one is that of jsonl.
func formatOf(name string) (string, error) {
	base := filepath.Base(name)
	switch ending := filepath.Ext(base); {
	case strings.HasPrefix(base, ".env."), ending == ".env":
		return formatEnv, nil
	case ending == "", ending == base, ending == ".jsonl", ending == ".ndjson":
		return formatJSON, nil
	case ending == ".tsv", ending == ".tab":
		return formatTSV, nil
	default:
		return "", cmdline.WithHint(fmt.Errorf("%s: %s is the ending of no format", name, ending), "--format jsonl|tsv|env says which one it is")
	}
}
