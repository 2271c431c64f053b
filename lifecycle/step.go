package lifecycle

// Step is one thing that was done to a file, or, in a dry run, would be.
type Step struct {
	Action Action `json:"action"`
	Path   string `json:"path"` // of a database that is no file, its URL
	Why    string `json:"why,omitempty"`
}

// Action is what is done to a path.
type Action string

const (
	Made      Action = "made"      // a directory
	Wrote     Action = "wrote"     // a file that was not there
	Replaced  Action = "replaced"  // a file that was
	Unchanged Action = "unchanged" // a file that was the same already
	Removed   Action = "removed"
	Kept      Action = "kept"
)
