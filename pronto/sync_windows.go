package pronto

// isSyncUnsupported is true: Windows has no sync of folders.
func isSyncUnsupported(error) bool { return true }
