package archive

import "fmt"

// Part narrows a backup or a restore. The zero value is everything.
type Part struct {
	User     string `json:"user,omitempty"`     // with all that this user has; or whose Cursor and Database it is
	Cursor   string `json:"cursor,omitempty"`   // this one, and the database it names
	Database string `json:"database,omitempty"` // this one: a name, a path or a URL
}

func (p Part) whole() bool { return p == Part{} }

// wholeUser reports whether the part is everything of its user.
func (p Part) wholeUser() bool { return p.User != "" && p.Cursor == "" && p.Database == "" }

func (p Part) String() string {
	switch {
	case p.Database != "":
		return fmt.Sprintf("database %q of user %q", p.Database, p.User)
	case p.Cursor != "":
		return fmt.Sprintf("cursor %q of user %q", p.Cursor, p.User)
	}
	return fmt.Sprintf("user %q", p.User)
}
