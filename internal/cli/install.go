package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"prontodb/internal/cmdline"
	"prontodb/internal/docgen"
	"prontodb/internal/shellwords"
	"prontodb/lifecycle"
	"prontodb/lifecycle/install"
)

// installing is one run of the command install.
type installing struct{ install.Options }

func newInstall() cmdline.Runner { return &installing{} }

func (c *installing) Doc() cmdline.Doc {
	return cmdline.Doc{
		Purpose: "install this program for the user who runs it",
		Usage:   "install [flags]",
		Long: `Copies the running program to ~/.local/bin, and completions for bash, zsh and fish
and the man page to $XDG_DATA_HOME; makes the data and the configuration folder;
runs the new program once before it takes its place. A manifest, install.json in
the data folder, lists what was made, for uninstall. Repeating it upgrades. A file
in the way that install did not put there is left alone, and so is all else,
unless --force is given. It neither needs nor asks for root.

zsh finds its completions with this line in ~/.zshrc, before compinit:

  fpath=(~/.local/share/zsh/site-functions $fpath)

Several targets may hold a program; the rest is shared between them.`,
		Examples: []string{
			"prontodb install",
			"prontodb install --dry-run",
			"prontodb install --target ~/bin",
		},
	}
}

func (c *installing) Flags(f *cmdline.Flags) {
	f.Dir(&c.Target, "target", "folder `DIR` for the program (default ~/.local/bin)")
	f.Bool(&c.Force, "force", "", "replace different files that are in the way")
	f.Bool(&c.DryRun, "dry-run", "", "tell what would be done, and do nothing")
}

func (c *installing) Run(ctx context.Context, a *app, _ []string) error {
	d, err := a.dirs()
	if err != nil {
		return err
	}
	hint := "prontodb install --force"
	if c.Target == "" {
		if c.Target = d.DefaultTarget(); c.Target == "" {
			return cmdline.WithHint(fmt.Errorf("$HOME is not set to an absolute path"), "prontodb install --target DIR")
		}
	} else {
		hint += " --target " + shellwords.Quote(c.Target)
	}
	if c.Binary, err = os.Executable(); err != nil {
		return err
	}
	c.Version, c.Shared = a.Build.filled().Version, sharedFiles(a.program())
	steps, err := install.Install(ctx, d, c.Options)
	if conflict := (*install.ConflictError)(nil); errors.As(err, &conflict) {
		return cmdline.WithHint(err, "%s", hint)
	}
	if err != nil {
		return err
	}
	a.changed = !c.DryRun
	return c.report(a, d, steps)
}

func (c *installing) report(a *app, d lifecycle.Dirs, steps []lifecycle.Step) error {
	onPath := install.OnPath(c.Target, a.Getenv("PATH"))
	line, file := pathLine(d.Home, c.Target, filepath.Base(a.Getenv("SHELL")))
	if a.g.json {
		out := struct {
			Version  string           `json:"version"`
			Binary   string           `json:"binary"`
			DryRun   bool             `json:"dry_run"`
			OnPath   bool             `json:"on_path"`
			PathLine string           `json:"path_line,omitempty"`
			Steps    []lifecycle.Step `json:"steps"`
		}{c.Version, filepath.Join(c.Target, install.BinaryName()), c.DryRun, onPath, "", steps}
		if !onPath {
			out.PathLine = line
		}
		return a.printJSON(out)
	}
	if err := a.printSteps(steps, c.DryRun); err != nil || c.DryRun {
		return err
	}
	a.status("prontodb %s is installed", c.Version)
	if !onPath {
		a.status("%s is not on PATH: add this line to %s", c.Target, file)
		a.hint(line)
	}
	return nil
}

// sharedFiles are the completions and the man page, where the shells and man
// look for them below $XDG_DATA_HOME.
func sharedFiles(p docgen.Program) []install.Shared {
	if runtime.GOOS == "windows" {
		return nil
	}
	return []install.Shared{
		{Path: "bash-completion/completions/prontodb", Content: p.BashCompletion()},
		{Path: "zsh/site-functions/_prontodb", Content: p.ZshCompletion()},
		{Path: "fish/vendor_completions.d/prontodb.fish", Content: p.FishCompletion()},
		{Path: "man/man1/prontodb.1", Content: p.ManPage()},
	}
}

// pathLine is the line that puts dir on PATH, for the user's shell, and the
// file it belongs into.
func pathLine(home, dir, shell string) (line, file string) {
	if runtime.GOOS == "windows" {
		return fmt.Sprintf(`[Environment]::SetEnvironmentVariable('Path', '%s;' + [Environment]::GetEnvironmentVariable('Path', 'User'), 'User')`,
			strings.ReplaceAll(dir, "'", "''")), "no file, but run it in PowerShell"
	}
	quoted := inDoubleQuotes(dir)
	if rel, ok := strings.CutPrefix(dir, home+"/"); ok && home != "" {
		quoted = "$HOME/" + inDoubleQuotes(rel)
	}
	switch shell {
	case "bash", "zsh":
		return fmt.Sprintf(`export PATH="%s:$PATH"`, quoted), "~/." + shell + "rc"
	case "fish":
		return fmt.Sprintf(`fish_add_path "%s"`, quoted), "~/.config/fish/config.fish"
	case "csh", "tcsh":
		return fmt.Sprintf(`setenv PATH "%s:$PATH"`, quoted), "~/.cshrc"
	}
	return fmt.Sprintf(`export PATH="%s:$PATH"`, quoted), "~/.profile"
}

// inDoubleQuotes escapes what a shell would expand between double quotes.
func inDoubleQuotes(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s)
}
