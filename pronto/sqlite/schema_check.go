package sqlite

import (
	"fmt"

	"prontodb/pronto"
	"prontodb/pronto/sqlite/internal/driver"
)

// object is a row of sqlite_schema: what it is, which table it belongs to, and the
// statement that made it.
type object struct{ kind, name, table, sql string }

// schemas are what each version's schema consists of.
var schemas = [...][]object{
	0: nil,
	1: {
		{"table", "namespace", "namespace", createNamespace},
		{"index", "sqlite_autoindex_namespace_1", "namespace", ""},
		{"table", "entry", "entry", createEntry},
		{"index", "entry_expiry", "entry", createExpiry},
		{"table", "state", "state", createState},
	},
	2: {
		{"table", "namespace", "namespace", createNamespace},
		{"index", "sqlite_autoindex_namespace_1", "namespace", ""},
		{"table", "entry", "entry", createEntry2},
		{"index", "entry_expiry", "entry", createExpiry},
		{"table", "state", "state", createState2},
		{"table", "chunk", "chunk", createChunk},
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

func (s *store) compareSchema(want []object) error {
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
		if found[i] || !want[i].isRow(st) {
			return &schemaError{fmt.Sprintf("changed %s %q", kindOf(st), want[i].name)}
		}
		found[i] = true
	}
	for i, o := range want {
		if !found[i] {
			return &schemaError{fmt.Sprintf("missing %s %q", o.kind, o.name)}
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
func find(list []object, name []byte) int {
	for i := range list {
		if list[i].name == string(name) {
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

func (o *object) isRow(st *driver.Stmt) bool {
	return o.kind == string(st.Bytes(0)) && o.table == string(st.Bytes(2)) && o.sql == string(st.Bytes(3))
}
