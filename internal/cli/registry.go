package cli

import "prontodb/internal/cmdline"

const (
	groupEntries   = "Entries"
	groupMoving    = "In and out, batch and exec, scripts"
	groupCaches    = "Caches"
	groupTogether  = "Together"
	groupPlaces    = "Users, databases, cursors"
	groupLifecycle = "Lifecycle"
	groupAbout     = "About"
)

// What commands make of the global flags that choose data.
const (
	none     cmdline.Choices = 0
	database                 = cmdline.User | cmdline.Cursor | cmdline.Database
	entries                  = database | cmdline.Meta | cmdline.Project | cmdline.Namespace | cmdline.Context
	spaces                   = database | cmdline.Meta | cmdline.Project | cmdline.Namespace
	scopes                   = entries // drop refuses a context in its own words
	projects                 = database | cmdline.Meta | cmdline.Project
)

// registry lists the commands in the order in which the help shows them, with
// what is true of each. What it says to people, and its flags, are in the file
// of the command.
var registry cmdline.Registry

// An init function, for help reads the registry that it is in.
func init() {
	const (
		reads  = cmdline.Reads
		writes = cmdline.Writes
		entry  = cmdline.AnswersEntry
		list   = cmdline.AnswersList
	)
	registry = cmdline.Registry{
		{Name: "set", Answer: entry, Group: groupEntries, Access: writes, Batch: true, Honours: entries, OwnArgs: true, Rescues: true, New: newSet},
		{Name: "get", Answer: entry, Value: true, Group: groupEntries, Access: reads, Batch: true, Honours: entries, New: newGet},
		{Name: "exists", Group: groupEntries, Access: reads, Batch: true, Honours: entries, New: newExists},
		{Name: "del", Aliases: []string{"delete"}, Group: groupEntries, Access: writes, Batch: true, Honours: entries, New: newDel},
		{Name: "keys", Answer: list, Group: groupEntries, Access: reads, Batch: true, Honours: entries, New: newKeys},
		{Name: "scan", Answer: list, Aliases: []string{"ls"}, Group: groupEntries, Access: reads, Batch: true, Honours: entries, New: newScan},
		{Name: "incr", Answer: entry, Group: groupEntries, Access: writes, Batch: true, Honours: entries, New: newIncr},
		{Name: "decr", Answer: entry, Group: groupEntries, Access: writes, Batch: true, Honours: entries, New: newDecr},
		{Name: "copy", Answer: entry, Group: groupEntries, Access: writes, Batch: true, Honours: entries, New: newCopy},
		{Name: "move", Answer: entry, Group: groupEntries, Access: writes, Batch: true, Honours: entries, New: newMove},
		{Name: "drop", Group: groupEntries, Access: writes, Batch: true, Honours: scopes, New: newDrop},

		{Name: "export", Group: groupMoving, Access: reads, Honours: entries, New: newExport},
		{Name: "import", Group: groupMoving, Access: writes, Honours: entries, New: newImport},
		{Name: "batch", Group: groupMoving, Access: writes, Honours: entries, New: newBatch},
		{Name: "exec", Group: groupMoving, Access: reads, Honours: entries, OwnArgs: true, Rest: true, New: newExec},
		{Name: "init", Group: groupMoving, Honours: none, Config: cmdline.ConfigIgnored, New: newInit},

		{Name: "create-cache", Group: groupCaches, Access: writes, Batch: true, Honours: spaces, OwnArgs: true, New: newCreateCache},
		{Name: "caches", Answer: list, Group: groupCaches, Access: reads, Batch: true, Honours: projects, New: newCaches},
		{Name: "ttl", Group: groupCaches, Access: reads, Batch: true, Honours: entries, New: newTTL},
		{Name: "touch", Answer: entry, Group: groupCaches, Access: writes, Batch: true, Honours: entries, New: newTouch},
		{Name: "drop-cache", Group: groupCaches, Access: writes, Batch: true, Honours: spaces, OwnArgs: true, New: newDropCache},

		{Name: "update", Answer: entry, Group: groupTogether, Access: writes, Known: true, Honours: entries | cmdline.IfLock, OwnArgs: true, Rest: true, New: newUpdate},
		{Name: "lock", Group: groupTogether, Access: writes, Known: true, Honours: database | cmdline.Meta, OwnArgs: true, Rest: true, New: newLock},
		{Name: "unlock", Group: groupTogether, Access: writes, Known: true, Batch: true, Honours: database | cmdline.Meta, New: newUnlock},
		{Name: "renew", Group: groupTogether, Access: writes, Known: true, Batch: true, Honours: database | cmdline.Meta, New: newRenew},
		{Name: "locks", Answer: list, Group: groupTogether, Access: reads, Batch: true, Honours: database | cmdline.Meta, New: newLocks},
		{Name: "wait", Answer: entry, Group: groupTogether, Access: reads, Honours: entries, New: newWait},
		{Name: "watch", Group: groupTogether, Access: reads, Honours: entries, OwnArgs: true, Rest: true, New: newWatch},
		{Name: "log", Group: groupTogether, Access: reads, Batch: true, Honours: entries, New: newLog},

		{Name: "projects", Answer: list, Group: groupPlaces, Access: reads, Batch: true, Honours: database | cmdline.Meta, New: newProjects},
		{Name: "namespaces", Answer: list, Aliases: []string{"nss"}, Group: groupPlaces, Access: reads, Batch: true, Honours: projects, New: newNamespaces},
		{Name: "users", Group: groupPlaces, Honours: none, New: newUsers},
		{Name: "cursor", Group: groupPlaces, Doc: cursorDoc, Subs: []cmdline.Command{
			{Name: "set", Honours: cmdline.User | cmdline.Meta | cmdline.Project | cmdline.Namespace | cmdline.Database, New: newCursorSet},
			{Name: "list", Honours: cmdline.User | cmdline.Cursor, New: newCursorList},
			{Name: "show", Honours: cmdline.User | cmdline.Cursor, New: newCursorShow},
			{Name: "active", Honours: cmdline.User | cmdline.Cursor, New: newCursorActive},
			{Name: "use", Honours: cmdline.User, New: newCursorUse},
			{Name: "clear", Honours: cmdline.User, New: newCursorClear},
			{Name: "delete", Honours: cmdline.User, New: newCursorDelete},
		}},

		{Name: "backup", Group: groupLifecycle, Honours: database, OwnArgs: true, New: newBackup},
		{Name: "restore", Group: groupLifecycle, Honours: database, New: newRestore},
		{Name: "compact", Group: groupLifecycle, Honours: database, New: newCompact},
		{Name: "install", Group: groupLifecycle, Honours: none, New: newInstall},
		{Name: "uninstall", Group: groupLifecycle, Honours: none, New: newUninstall},
		{Name: "doctor", Group: groupLifecycle, Honours: none, Config: cmdline.ConfigExamined, New: newDoctor},
		{Name: "info", Group: groupLifecycle, Honours: none, Config: cmdline.ConfigExamined, New: newInfo},

		{Name: "help", Group: groupAbout, Honours: none, Config: cmdline.ConfigIgnored, OwnArgs: true, New: newHelp},
		{Name: "version", Group: groupAbout, Honours: none, Config: cmdline.ConfigIgnored, New: newVersion},
	}
}
