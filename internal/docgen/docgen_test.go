package docgen

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"prontodb/internal/cmdline"
)

var update = flag.Bool("update", false, "rewrite the documents of the small program in testdata")

// small is a program that has one of each thing that a document makes a
// difference of, and little else.
func small() Program {
	var text string
	var yes bool
	globals := cmdline.NewFlags("")
	globals.Text(&text, "user", "u", "the data of `USER`")
	globals.Bool(&yes, "json", "", "print JSON")
	return Program{
		Version: "v1.2.3", Date: "2026-01-02T03:04:05Z", Globals: globals.List(),
		Commands: cmdline.Registry{
			{Name: "put", Aliases: []string{"store", "p"}, Group: "Things", New: func() cmdline.Runner { return put{} }},
			{Name: "look", Group: "Things", New: func() cmdline.Runner {
				return bare{cmdline.Doc{Purpose: "look at a file", Usage: "look [flags] FILE…", Args: []cmdline.Arg{{Name: "FILE", Text: "what to look at", Kind: cmdline.FileKind, Repeated: true}}}}
			}},
			{
				Name: "place", Group: "Places",
				Doc: func() cmdline.Doc {
					return cmdline.Doc{Purpose: "where things are", Usage: "place SUBCOMMAND"}
				},
				Subs: []cmdline.Command{
					{Name: "go", New: func() cmdline.Runner {
						return bare{cmdline.Doc{Purpose: "go there", Usage: "place go [flags] CURSOR", Args: []cmdline.Arg{{Name: "CURSOR", Text: "which one", Kind: cmdline.CursorKind}}}}
					}},
					{Name: "all", New: func() cmdline.Runner { return all{} }},
				},
			},
			{Name: "about", Group: "About", New: func() cmdline.Runner {
				return bare{cmdline.Doc{Purpose: "tell about [it]: it's `this`", Usage: "about [COMMAND]", Args: []cmdline.Arg{{Name: "COMMAND", Text: "of which", Kind: cmdline.CommandKind, Optional: true}}}}
			}},
		},
	}
}

type bare struct{ doc cmdline.Doc }

func (b bare) Doc() cmdline.Doc     { return b.doc }
func (bare) Flags(f *cmdline.Flags) {}

type put struct{}

func (put) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "put a thing",
		Usage:   "put [flags] THING [USER]",
		Long:    "\nOne paragraph\nof two lines.\n\n  as it\n  stands\n\nand\n  half of it\n",
		Args: []cmdline.Arg{
			{Name: "THING", Text: "what to put;\n- for standard input"},
			{Name: "USER", Text: "whose it is", Kind: cmdline.UserKind, Optional: true},
		},
		Exits:    [][2]string{{"2", "there is none"}},
		Examples: []string{`prontodb put 'a "b"'`, `prontodb put ~/c\d | prontodb look`},
	}
}

func (put) Flags(f *cmdline.Flags) {
	var text string
	var yes bool
	f.Text(&text, "in-a-folder-that-has-a-very-long-name", "", "put it into `DIR`")
	f.Text(&text, "from", "f", "take it from `FILE`")
	f.Text(&text, "times", "t", "so `N` times,\nor more: [1:3]")
	f.OneOf(&text, "mode", "m", "`full|fast`", "full", "fast")
	f.Text(&text, "cursor", "", "put it where `CURSOR` is")
	f.Bool(&yes, "yes", "y", "don't ask")
}

type all struct{}

func (all) Doc() cmdline.Doc {
	return cmdline.Doc{Purpose: "list them", Usage: "place all [flags] [DIR]", Args: []cmdline.Arg{{Name: "DIR", Text: "below it", Kind: cmdline.DirKind, Optional: true}}}
}

func (all) Flags(f *cmdline.Flags) {
	var text string
	var yes bool
	f.Bool(&yes, "long", "l", "tell all")
	f.Text(&text, "path", "", "`NAME|PATH` of it")
	f.Text(&text, "target", "", "what is at `TARGET`")
	f.Bool(&yes, "yes", "y", "as put has it")
}

// The documents of a small program are those in testdata: read the difference
// before you rewrite them with -update.
func TestDocuments(t *testing.T) {
	p := small()
	got := map[string]string{
		"reference": p.Reference(),
		"man":       string(p.ManPage()), "bash": string(p.BashCompletion()), "zsh": string(p.ZshCompletion()), "fish": string(p.FishCompletion()),
	}
	for i := range p.Commands {
		c := &p.Commands[i]
		got["help-"+c.Name] = Help(c)
		if c.New == nil {
			for _, s := range c.Leaves() {
				got["help-"+c.Name+"-"+s.Name] = Help(s)
			}
		}
	}
	for name, text := range got {
		file := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, text, want)
		}
	}
}
