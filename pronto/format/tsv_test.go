package format

import (
	"bytes"
	"testing"

	"prontodb/pronto"
)

// What tsv takes, it writes again as it was.
func FuzzTSV(f *testing.F) {
	for _, s := range []string{"", "a\tb", "p.n.k__c\tvalue", "\t", "a\t", "a\tb\tc", "a\tb\r", "a\t\xff", "a\t\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := ParseTSV(pronto.Notation{}, line)
		if err != nil {
			return
		}
		if err := e.Check(); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		row := pronto.Row{Name: []byte(e.Name()), Value: e.Value}
		again, err := AppendTSV([]byte(pronto.Notation{}.Prefix(e.Project, e.Namespace)), &row)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		back, err := ParseTSV(pronto.Notation{}, bytes.TrimSuffix(again, []byte("\n")))
		if err != nil || back.Address != e.Address || !bytes.Equal(back.Value, e.Value) {
			t.Fatalf("%q is written as %q, which reads back as %v, %v", line, again, back, err)
		}
	})
}
