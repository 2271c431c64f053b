package pronto

import (
	"fmt"
	"strings"
)

// ChangeKind says what a [Change] did.
type ChangeKind int

const (
	ChangeSet    ChangeKind = 1 + iota // an entry was stored, new or over another
	ChangeDelete                       // an entry was removed
	ChangeExpire                       // an entry that had expired was removed
	ChangeDrop                         // a namespace, a project or everything was removed
	ChangeReset                        // another content took the place of all there was
)

// String is the word by which a user knows the kind.
func (k ChangeKind) String() string {
	switch k {
	case ChangeSet:
		return "set"
	case ChangeDelete:
		return "del"
	case ChangeExpire:
		return "expire"
	case ChangeDrop:
		return "drop"
	case ChangeReset:
		return "reset"
	}
	return fmt.Sprintf("change %d", int(k))
}

// Change is one change of a database as its log keeps it, which is without
// values. What is of no use to a reader, such as a cache's new default, is no
// Change.
type Change struct {
	// Revision is one of its own, greater than that of each change before.
	Revision int64
	Kind     ChangeKind
	Time     int64  // of the transaction, in milliseconds
	Actor    string // [Options.Actor] of who made it

	// Address is that of the entry. Of a ChangeDrop it has no key, and no
	// namespace or project where all of them went; of a ChangeReset it is empty.
	Address

	// Prefix is, of a ChangeDrop, how the names of the entries begin that went.
	Prefix string

	// Stored is, of a ChangeSet, the revision of the entry: the same as that of
	// the change but where an entry brought its own (see [Writer.Put]).
	Stored int64
}

// Touches reports whether a change is of something within a scope.
func (c *Change) Touches(s Scope) bool {
	switch {
	case c.Kind == ChangeReset || s.Project == "":
	case c.Kind == ChangeDrop && (c.Project == "" || c.Project == s.Project && (c.Namespace == "" || s.Namespace == "")):
	case c.Project != s.Project || s.Namespace != "" && c.Namespace != s.Namespace:
		return false
	}
	if c.Kind == ChangeReset || c.Kind == ChangeDrop {
		return c.Prefix == "" || strings.HasPrefix(c.Prefix, s.Prefix) || strings.HasPrefix(s.Prefix, c.Prefix)
	}
	if s.Context != "" && c.Context != s.Context {
		return false
	}
	return s.Prefix == "" || hasPrefix(c.Address, s.Prefix)
}

// hasPrefix reports whether the name of an entry begins with a prefix.
func hasPrefix(a Address, prefix string) bool {
	if n := len(prefix); n <= len(a.Key) {
		return a.Key[:n] == prefix
	}
	name := a.Name()
	return len(name) >= len(prefix) && name[:len(prefix)] == prefix
}

// Keep says how much of the log of changes is kept: what is beyond any of the
// three goes, sooner or later, the oldest first.
type Keep struct {
	Changes int64 // from 1 to MaxKept
	Age     int64 // in milliseconds, from 1 on
	Bytes   int64 // as [ChangeLog.Bytes] counts them, from 1 to MaxKept
}

// MaxKept is the most changes, or bytes of them, that can be kept: 2^40.
const MaxKept = 1 << 40

// DefaultKeep is what a database keeps unless told otherwise.
var DefaultKeep = Keep{Changes: 100_000, Age: 30 * 24 * 3600 * 1000, Bytes: 16 << 20}

// Check says what is out of bounds.
func (k Keep) Check() error {
	switch {
	case k.Changes < 1 || k.Changes > MaxKept:
		return fmt.Errorf("%d changes: must be from 1 to %d", k.Changes, int64(MaxKept))
	case k.Age < 1 || k.Age > millis(MaxTTL):
		return ErrTTL
	case k.Bytes < 1 || k.Bytes > MaxKept:
		return fmt.Errorf("%d bytes: must be from 1 to %d", k.Bytes, int64(MaxKept))
	}
	return nil
}

// ChangeLog is what there is to tell of the log of changes, that of all metas.
type ChangeLog struct {
	// Forgotten is the newest revision whose change the log no longer has, or
	// never had: what came after it is all there.
	Forgotten int64
	Changes   int64 // how many it has
	Bytes     int64 // about as much as they take
	Keep      Keep
}
