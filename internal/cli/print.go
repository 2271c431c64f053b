package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"prontodb/lifecycle"
	"prontodb/pronto"
	"prontodb/pronto/format"
)

// appendCache appends what names a cache, and its default expiry, null for
// none.
func appendCache(b []byte, ns pronto.Namespace) []byte {
	b = appendName(b, "default_ttl")
	if !ns.Cache() {
		return append(b, "null"...)
	}
	return append(b, seconds(ns.TTL)...)
}

// printObject ends the JSON object in b and prints it on a line.
func (a *app) printObject(b []byte) error {
	_, err := a.out.Write(append(b, "}\n"...))
	return err
}

// printJSON prints a value as one line of JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printEntry prints an entry as JSON.
func (a *app) printEntry(e pronto.Entry, n pronto.Notation) error {
	a.entry = true
	return format.WriteEntry(a.out, &e, n)
}

// printValue writes a value, as a text with a newline at its end unless raw.
func (a *app) printValue(v []byte, raw bool) error {
	if _, err := a.out.Write(v); err != nil || raw || a.exact || bytes.HasSuffix(v, []byte("\n")) || !isText(v) {
		return err
	}
	return a.out.WriteByte('\n')
}

func isText(v []byte) bool { return bytes.IndexByte(v, 0) < 0 && utf8.Valid(v) }

// printNumber prints a number, or with --json an object that holds it.
func (a *app) printNumber(name string, n int64) error {
	if a.g.json {
		return a.printObject(appendMember([]byte("{"), name, n))
	}
	_, err := fmt.Fprintln(a.out, n)
	return err
}

// printName prints a name on a line, or with --json the object in b.
func (a *app) printName(name string, b []byte) error {
	if a.g.json {
		return a.printObject(b)
	}
	_, err := fmt.Fprintln(a.out, name)
	return err
}

// printCache prints a cache with its default expiry.
func (a *app) printCache(n pronto.Notation, ns pronto.Namespace) error {
	if a.g.json {
		b := appendMember([]byte("{"), "project", ns.Project)
		b = appendMember(b, "namespace", ns.Name)
		return a.printObject(appendCache(b, ns))
	}
	if err := a.checkPrintable(n, ns.Project, ns.Name); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.out, "%s\t%s\n", namespaceName(n, ns.Project, ns.Name), seconds(ns.TTL))
	return err
}

// printSteps prints what was done, or would be, a line each.
func (a *app) printSteps(steps []lifecycle.Step, dryRun bool) error {
	would := map[lifecycle.Action]string{
		lifecycle.Made: "would make", lifecycle.Wrote: "would write", lifecycle.Replaced: "would replace",
		lifecycle.Removed: "would remove", lifecycle.Kept: "would keep",
	}
	for _, s := range steps {
		action := string(s.Action)
		if w := would[s.Action]; w != "" && dryRun {
			action = w
		}
		line := action + " " + oneLine(s.Path)
		if s.Why != "" {
			line += ": " + s.Why
		}
		if _, err := fmt.Fprintln(a.out, line); err != nil {
			return err
		}
	}
	return nil
}
