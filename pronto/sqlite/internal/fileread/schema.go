package fileread

// readSchema finds the roots of the objects of the schema. Each must be there, and
// nothing else: a row that SQLite can't read makes it refuse the database, an
// object that we don't know may change what a statement does.
func (f *File) readSchema() error {
	t, err := f.node(1)
	if err != nil {
		return err
	}
	objects := f.schema.Objects
	if t.kind != leafTable || t.len() != len(objects) {
		return ErrUnsure
	}
	f.roots = make([]uint32, len(objects))
	for i := range t.len() {
		b, err := t.cell(i)
		if err != nil {
			return err
		}
		p, err := f.payload(b, true)
		if err != nil {
			return err
		}
		var r Record
		if err := r.parse(p, 5, 0); err != nil {
			return err
		}
		if err := f.readObject(&r); err != nil {
			return err
		}
	}
	return nil
}

// readObject takes one row of the schema.
func (f *File) readObject(r *Record) error {
	name, err := r.text(1)
	if err != nil {
		return err
	}
	for i := range f.schema.Objects {
		if o := &f.schema.Objects[i]; string(name) == o.Name {
			root, err := r.Int(3)
			if err != nil || f.roots[i] != 0 || !r.is(o) || !f.mayBeRoot(root) || o.Name != o.Table && !f.hasRoot(o.Table) {
				return ErrUnsure
			}
			f.roots[i] = uint32(root)
			return nil
		}
	}
	return ErrUnsure
}

// is reports whether a row of the schema describes that object.
func (r *Record) is(o *Object) bool {
	kind, _ := r.text(0)
	table, _ := r.text(2)
	sql, _ := r.text(4)
	return string(kind) == o.Type && string(table) == o.Table && string(sql) == o.SQL && r.Null(4) == (o.SQL == "")
}

// mayBeRoot reports whether a page can be the root of an object, and is not that
// of another.
func (f *File) mayBeRoot(n int64) bool {
	for _, root := range f.roots {
		if n == int64(root) {
			return false
		}
	}
	return n > 1 && n <= maxPages && f.holds(uint32(n))
}

// hasRoot reports whether the row of a table came before. That of an index can't
// be read without.
func (f *File) hasRoot(table string) bool {
	for i, o := range f.schema.Objects {
		if o.Name == table {
			return f.roots[i] != 0
		}
	}
	return false
}
