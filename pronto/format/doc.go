// Package format writes and reads entries in the formats that go in and out of
// ProntoDB (SPEC 9): jsonl, which carries everything, tsv, and variables for a
// shell. It knows no engine and no transaction.
package format

import "unsafe"

// textOf is b as a string that shares its bytes.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
