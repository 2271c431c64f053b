package cli

// Documents are the completions and the man page of the program, for packages:
// content by file name.
func Documents(b Build) map[string][]byte {
	a := &app{Process: Process{Build: b}, commands: registry}
	a.fill()
	p := a.program()
	return map[string][]byte{
		"prontodb.bash": p.BashCompletion(),
		"_prontodb":     p.ZshCompletion(),
		"prontodb.fish": p.FishCompletion(),
		"prontodb.1":    p.ManPage(),
	}
}
