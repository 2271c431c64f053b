package pronto

// LockRow is one who holds a lock, or waits for one, as a store keeps it. The
// rules are in package coord.
type LockRow struct {
	Name string // of the lock
	// ID is the number that names the row; those who came later have greater ones.
	// That of a holder is its token.
	ID    int64
	Slot  int64  // which of the slots it holds, from 0; -1 for one who waits
	Slots int64  // how many there are
	Kind  int64  // what tells whether it is still there
	Also  string // the other names that were asked for with this one, a line each

	Owner     string
	Host      string
	PID       int64
	Start     string // of the process of that number
	Namespace string // of the number

	Since int64  // milliseconds since 1970
	Boot  string // the boot that the times below are of, in milliseconds since then; 0 for none
	TTL   int64  // what the lease is renewed by, in milliseconds
	Until int64  // end of the lease
	Hold  int64  // until when it is held in any case
	Turn  int64  // since when one who waits could have had it

	Revoked bool // it was taken away, and is being given back
}

// LockReader is a [Reader] of an engine that keeps locks. They belong to the meta
// of the store, as entries do, and are no part of what is listed, counted,
// exported or copied.
type LockReader interface {
	// Locks lists the rows of a lock in order of their IDs, or, if the name is "",
	// those of all, in byte order of the names.
	Locks(name string) ([]LockRow, error)

	// AllLocks lists those of all locks, under whatever meta.
	AllLocks() ([]LockRow, error)
}

// LockWriter is a [Writer] of an engine that keeps locks. Its changes are part of
// the transaction, and give out no revision.
type LockWriter interface {
	LockReader

	// NextID gives out a number that is greater than any given out before in this
	// database, under whatever meta, and in any that it was restored from.
	NextID() (int64, error)

	// PutLock stores a row, over one of the same name and ID.
	PutLock(r LockRow) error

	// RemoveLock removes a row. It is no error if there is none.
	RemoveLock(name string, id int64) error
}

// LockDirectory is an engine whose databases are used by the processes of one
// machine, which can tell each other by files whether they are there.
type LockDirectory interface {
	// LockDirectory is the directory for such files of the database at a location,
	// and the file whose mode and owner they take.
	LockDirectory(location string) (dir, like string)
}

// LocksOf is a reader as one of locks.
func LocksOf(r Reader) (LockReader, error) {
	if l, ok := r.(LockReader); ok {
		return l, nil
	}
	return nil, &EngineError{Lacks: "keep locks"}
}

// LockWriterOf is a writer as one of locks.
func LockWriterOf(w Writer) (LockWriter, error) {
	if l, ok := w.(LockWriter); ok {
		return l, nil
	}
	return nil, &EngineError{Lacks: "keep locks"}
}

// LockDirectoryOf is the directory for the files of locks of a database; see
// [LockDirectory].
func LockDirectoryOf(t Target) (dir, like string, err error) {
	e, err := capability[LockDirectory](t, "tell whether who holds a lock is still there")
	if err != nil {
		return "", "", err
	}
	dir, like = e.LockDirectory(t.Location)
	return dir, like, nil
}

// Locks implements [LockReader]: there are none.
func (Empty) Locks(string) ([]LockRow, error) { return nil, nil }
func (Empty) AllLocks() ([]LockRow, error)    { return nil, nil }
