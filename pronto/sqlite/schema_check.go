package sqlite

import (
	"fmt"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
	"prontodb/pronto/sqlite/internal/fileread"
)

// schemas are what each version's schema consists of, as SQLite keeps it. The
// objects of the newest one in which single entries are found come first.
var schemas = [...][]fileread.Object{
	0: nil,
	1: {
		namespaceIndex: {Type: "index", Name: "sqlite_autoindex_namespace_1", Table: "namespace", Columns: 4},
		entryTable:     {Type: "table", Name: "entry", Table: "entry", SQL: createEntry, Columns: 8},
		2:              {Type: "table", Name: "namespace", Table: "namespace", SQL: createNamespace},
		3:              {Type: "index", Name: "entry_expiry", Table: "entry", SQL: createExpiry},
		4:              {Type: "table", Name: "state", Table: "state", SQL: createState},
	},
	2: {
		namespaceIndex: {Type: "index", Name: "sqlite_autoindex_namespace_1", Table: "namespace", Columns: 4},
		entryTable:     {Type: "table", Name: "entry", Table: "entry", SQL: createEntry2, Columns: 9, Added: 1},
		chunkTable:     {Type: "table", Name: "chunk", Table: "chunk", SQL: createChunk, Columns: 2},
		3:              {Type: "table", Name: "namespace", Table: "namespace", SQL: createNamespace},
		4:              {Type: "index", Name: "entry_expiry", Table: "entry", SQL: createExpiry},
		5:              {Type: "table", Name: "state", Table: "state", SQL: createState2},
	},
	3: {
		namespaceIndex: {Type: "index", Name: "sqlite_autoindex_namespace_1", Table: "namespace", Columns: 4},
		entryTable:     {Type: "table", Name: "entry", Table: "entry", SQL: createEntry2, Columns: 9, Added: 1},
		chunkTable:     {Type: "table", Name: "chunk", Table: "chunk", SQL: createChunk, Columns: 2},
		3:              {Type: "table", Name: "namespace", Table: "namespace", SQL: createNamespace},
		4:              {Type: "index", Name: "entry_expiry", Table: "entry", SQL: createExpiry},
		5:              {Type: "table", Name: "state", Table: "state", SQL: createState3},
		6:              {Type: "table", Name: "lock", Table: "lock", SQL: createLock},
		7:              {Type: "table", Name: "change", Table: "change", SQL: createChange},
	},
}

// schemaError is a [pronto.ErrForeign]: the file is marked as a database of
// ProntoDB, but its schema is not the one of its version.
type schemaError struct{ what string }

func (e *schemaError) Error() string        { return "schema is not ProntoDB's: " + e.what }
func (e *schemaError) Is(target error) bool { return target == pronto.ErrForeign }

// checkSchema returns the number of the schema, once it is known to be exactly
// what that version made, neither more nor less: a trigger, a view in place of a
// table, a column or an index more would be somebody else's program, which our
// statements run, and even what ANALYZE leaves changes how they run. It is called
// in the transaction in which they do.
//
// The errors are [pronto.ErrNewer] and [pronto.ErrForeign].
func (s *store) checkSchema() (version int, err error) {
	if version, err = s.userVersion(); err != nil {
		return 0, err
	}
	if version < 0 || version > schemaVersion {
		return version, newerError(version)
	}
	s.c.SetGuard(true)
	if err := s.compareSchema(schemas[version]); err != nil {
		return version, err
	}
	s.c.SetGuard(false)
	return version, nil
}

func (s *store) compareSchema(want []fileread.Object) error {
	st, err := s.c.Prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")
	if err != nil {
		return tooMuch(err)
	}
	defer st.Reset()
	found := make([]bool, len(want))
	for {
		row, err := st.Step()
		if err != nil {
			return tooMuch(err)
		}
		if !row {
			break
		}
		i := find(want, st.Bytes(1))
		if i < 0 {
			return &schemaError{fmt.Sprintf("unknown %s %.100q", kindOf(st), st.Text(1))}
		}
		if found[i] || !isRow(st, &want[i]) {
			return &schemaError{fmt.Sprintf("changed %s %q", kindOf(st), want[i].Name)}
		}
		found[i] = true
	}
	for i, o := range want {
		if !found[i] {
			return &schemaError{fmt.Sprintf("missing %s %q", o.Type, o.Name)}
		}
	}
	return nil
}

// tooMuch is an error in reading a schema that is longer than any of ours.
func tooMuch(err error) error {
	if c := code(err); c == sqliteInterrupt || c == sqliteTooBig {
		return &schemaError{"there is too much of it"}
	}
	return err
}

// find is the index of the object of that name, -1 for none.
func find(list []fileread.Object, name []byte) int {
	for i := range list {
		if list[i].Name == string(name) {
			return i
		}
	}
	return -1
}

// kindOf is what a row says it is, if it is any of what there may be.
func kindOf(st *driver.Stmt) string {
	switch kind := st.Text(0); kind {
	case "table", "index", "view", "trigger":
		return kind
	}
	return "object"
}

func isRow(st *driver.Stmt, o *fileread.Object) bool {
	return o.Type == string(st.Bytes(0)) && o.Table == string(st.Bytes(2)) && o.SQL == string(st.Bytes(3))
}
