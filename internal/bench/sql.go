//go:build unix

package main

import (
	"embed"
	"strings"
)

// What the sqlite3 shell is asked, for the same work.
//
//go:embed sql
var sqlFiles embed.FS

// statement is one of the files in sql.
func statement(name string) string {
	text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}
