package lifecycle

import "path/filepath"

// Dirs are the directories that ProntoDB knows. All are absolute.
type Dirs struct {
	Home   string // the user's; "" where there is none
	Share  string // $XDG_DATA_HOME
	Data   string // $XDG_DATA_HOME/prontodb
	Config string // $XDG_CONFIG_HOME/prontodb
}

// DefaultTarget is the directory a user's own programs are in, "" where the
// user has no home.
func (d Dirs) DefaultTarget() string {
	if d.Home == "" {
		return ""
	}
	return filepath.Join(d.Home, ".local", "bin")
}

// ConfigFile is the configuration file.
func (d Dirs) ConfigFile() string { return filepath.Join(d.Config, "config") }

// Backups is where backups go if no other directory is named.
func (d Dirs) Backups() string { return filepath.Join(d.Data, "backups") }
