package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"prontodb/pronto"
)

// appendMember appends a member to a JSON object that b began: a text, a
// number or a truth value.
func appendMember[T string | int | int64 | bool](b []byte, name string, v T) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = pronto.AppendJSONString(b, name)
	b = append(b, ':')
	switch v := any(v).(type) {
	case string:
		return pronto.AppendJSONString(b, strings.ToValidUTF8(v, string(utf8.RuneError)))
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	}
	return b
}

// printObject ends the JSON object in b and prints it on a line.
func (a *app) printObject(b []byte) error {
	_, err := a.out.Write(append(b, "}\n"...))
	return err
}

// printEntry prints an entry as JSON.
func (a *app) printEntry(e pronto.Entry, n pronto.Notation) error {
	_, err := a.out.Write(append(e.AppendJSON(nil, n, true), '\n'))
	return err
}

// complete fills in what printEntry shows of an entry that a write without an
// error returned.
func (a *app) complete(tx pronto.Writer, e *pronto.Entry, err error) error {
	if err != nil || !a.g.json {
		return err
	}
	return pronto.Complete(tx, e)
}

// printNumber prints a number, or with --json an object that holds it.
func (a *app) printNumber(name string, n int64) error {
	if a.g.json {
		return a.printObject(appendMember([]byte("{"), name, n))
	}
	_, err := fmt.Fprintln(a.out, n)
	return err
}

// quote writes a word so that a shell reads it back as it is.
func quote(w string) string {
	safe := w != "" && strings.IndexFunc(w, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:,@%+=", r) || r > 0x7f)
	}) < 0
	if safe {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}

// prontodb is a command line that can be pasted.
func prontodb(words ...string) string {
	var b strings.Builder
	b.WriteString("prontodb")
	for _, w := range words {
		b.WriteByte(' ')
		b.WriteString(quote(w))
	}
	return b.String()
}

// with is this call's command line with some flags more.
func (a *app) with(flags ...string) string {
	if slices.Contains(a.Args, "--") {
		return prontodb(slices.Concat(flags, a.Args)...)
	}
	return prontodb(slices.Concat(a.Args, flags)...)
}

// confirm asks before something is removed for good: on a terminal with a
// question, elsewhere it insists on --yes.
func (a *app) confirm(yes bool, what string) error {
	if yes {
		return nil
	}
	if !a.isTerminal(a.Stdin) {
		return hinted(fmt.Errorf("%s needs --yes where nobody can be asked", what), "%s", a.with("--yes"))
	}
	fmt.Fprintf(a.Stderr, "prontodb: %s: %s? [y/N] ", a.name, oneLine(what))
	var answer string
	fmt.Fscanln(a.Stdin, &answer)
	if answer = strings.ToLower(answer); answer != "y" && answer != "yes" {
		return fmt.Errorf("not confirmed, nothing was changed")
	}
	return nil
}
