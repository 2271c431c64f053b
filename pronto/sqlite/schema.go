package sqlite

// The schema, as numbered migrations. A migration never changes once it has
// been released; a change of the schema is a new one at the end.
//
// entry.name is the key with its context ("k", "k__dev"), the bytes that
// listings show, sort and search by; entry.context is the context alone, empty
// for none and never NULL. namespace.ttl is the default expiry of a cache in
// milliseconds; of a plain namespace it is NULL as long as no entry of it was given
// an expiry, and then 0, so that a listing looks for what has expired only where
// there may be some. state has one row: the revision of the last committed change,
// and how much expires (expiresInCaches), so that a database where nothing ever did
// never looks for it.
//
// A namespace that is no cache is there as long as an entry of it is, expired or
// not; one in which everything has expired is not listed.
//
// entry.size is the size of a large value in bytes, which is in the table chunk
// (value.go); NULL where the value is in the row. state.large says whether there
// has ever been one.
//
// change is the log of changes, but for the newest ones, which are in state.log,
// with what is to be kept of it (changes.go).
//
// entry has no rowid: an entry is found, and its value read, in one descent of
// one tree, and a write changes one page of it (docs/performance-history.md).
var migrations = [...]string{
	1: createNamespace + ";" + createEntry + ";" + createExpiry + ";" + createState + ";" +
		"INSERT INTO state VALUES (1, 0, 0);",
	2: createChunk + `;
ALTER TABLE entry ADD COLUMN size INTEGER;
ALTER TABLE state ADD COLUMN large INTEGER NOT NULL DEFAULT 0;
DELETE FROM namespace WHERE ttl IS NULL AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.namespace = namespace.id);
`,
	3: createLock + ";" + createChange + `;
ALTER TABLE state ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN log BLOB;
`,
}

// asNewest are statements by which, for a reader, a database of an earlier schema
// looks like one of the newest: a temporary table or view goes before the one of
// the same name in the file.
var asNewest = [...]string{
	1: `CREATE TEMP VIEW entry AS SELECT *, NULL AS size FROM main.entry;
CREATE TEMP VIEW chunk AS SELECT NULL AS id, NULL AS data WHERE 0;` + noLocks + noChanges,
	2: noLocks + noChanges,
}

// noLocks is a table of locks with nothing in it.
const noLocks = "CREATE TEMP TABLE " + lockTable + ";"

// What the schema is made of. SQLite keeps these texts as they are, and adds
// columns to them.
const (
	createNamespace = `CREATE TABLE namespace (
  id INTEGER PRIMARY KEY,
  meta TEXT NOT NULL,
  project TEXT NOT NULL,
  name TEXT NOT NULL,
  ttl INTEGER,
  UNIQUE (meta, project, name)
)`
	createEntry = `CREATE TABLE entry (
  namespace INTEGER NOT NULL,
  name TEXT NOT NULL,
  context TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  value BLOB NOT NULL,
  PRIMARY KEY (namespace, name)
) WITHOUT ROWID`
	createExpiry = `CREATE INDEX entry_expiry ON entry (expires_at) WHERE expires_at IS NOT NULL`
	createState  = `CREATE TABLE state (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, expiring INTEGER NOT NULL)`

	// Since schema 2.
	createChunk  = `CREATE TABLE chunk (id INTEGER PRIMARY KEY, data BLOB NOT NULL)`
	createEntry2 = `CREATE TABLE entry (
  namespace INTEGER NOT NULL,
  name TEXT NOT NULL,
  context TEXT NOT NULL,
  revision INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  value BLOB NOT NULL, size INTEGER,
  PRIMARY KEY (namespace, name)
) WITHOUT ROWID`
	createState2 = `CREATE TABLE state (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, expiring INTEGER NOT NULL, large INTEGER NOT NULL DEFAULT 0)`
)

// lock has a row for each who holds a lock, or waits for one (pronto.LockRow).
// state.token is the last number that was given out for one. Locks are no part of
// what a database holds: no copy has any, but each has the number. Locks came
// with schema locksSince.
const (
	locksSince = 3

	createLock = "CREATE TABLE " + lockTable
	lockTable  = `lock (
  meta TEXT NOT NULL,
  name TEXT NOT NULL,
  id INTEGER NOT NULL,
  slot, slots, kind, also, owner, host, pid, start, space, since, boot, ttl, until, hold, turn, revoked,
  PRIMARY KEY (meta, name, id)
) WITHOUT ROWID`
	createState3 = `CREATE TABLE state (id INTEGER PRIMARY KEY, revision INTEGER NOT NULL, expiring INTEGER NOT NULL, large INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0, log BLOB)`

	createChange = `CREATE TABLE change (revision INTEGER PRIMARY KEY, runs BLOB NOT NULL)`

	// noChanges is a log in which there is nothing yet.
	noChanges = `
CREATE TEMP VIEW change AS SELECT 0 AS revision, x'' AS runs WHERE 0;
CREATE TEMP VIEW state AS SELECT *, 0 AS token, NULL AS log FROM main.state;`
)

// tables are those of the schema that hold content, for copies of a database. The
// log of changes stays with the database.
var tables = [...]string{"namespace", "entry", "chunk", "state"}

// What state.expiring says: 0 where nothing ever expired.
const (
	expiresInCaches = 1 // there is, or was, a cache
	expiresAnywhere = 2 // and an entry of a plain namespace had an expiry
)

// schemaVersion is the newest schema this version knows: the number that
// PRAGMA user_version of a database holds.
const schemaVersion = len(migrations) - 1

// applicationID marks a database as ProntoDB's: PRAGMA application_id, "prdb".
const applicationID = 0x70726462
