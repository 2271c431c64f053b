package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"prontodb/lifecycle"
)

func installCommand() *command {
	const usage = "install [flags]"
	return &command{
		name: "install", short: "install this program for the user who runs it", usage: usage,
		long: `Copies the running program to ~/.local/bin, and completions for bash, zsh and fish
and the man page to $XDG_DATA_HOME; makes the data and the configuration folder;
runs the new program once before it takes its place. A manifest, install.json in
the data folder, lists what was made, for uninstall. Repeating it upgrades. A file
in the way that install did not put there is left alone, and so is all else,
unless --force is given. It neither needs nor asks for root.

zsh finds its completions with this line in ~/.zshrc, before compinit:

  fpath=(~/.local/share/zsh/site-functions $fpath)

Several targets may hold a program; the rest is shared between them.`,
		lines: []string{
			"prontodb install",
			"prontodb install --dry-run",
			"prontodb install --target ~/bin",
		},
		setup: func(a *app, f *flags) func(context.Context, []string) error {
			o := lifecycle.InstallOptions{}
			f.folder(&o.Target, "target", "folder `DIR` for the program (default ~/.local/bin)")
			f.bool(&o.Force, "force", "", "replace different files that are in the way")
			f.bool(&o.DryRun, "dry-run", "", "tell what would be done, and do nothing")
			return func(ctx context.Context, args []string) error {
				if err := wantArgs(&command{usage: usage}, args, 0); err != nil {
					return err
				}
				return a.install(ctx, o)
			}
		},
	}
}

func (a *app) install(ctx context.Context, o lifecycle.InstallOptions) error {
	p, err := places()
	if err != nil {
		return err
	}
	hint := "prontodb install --force"
	if o.Target == "" {
		if o.Target = p.DefaultTarget(); o.Target == "" {
			return hinted(fmt.Errorf("$HOME is not set to an absolute path"), "prontodb install --target DIR")
		}
	} else {
		hint += " --target " + quote(o.Target)
	}
	if o.Binary, err = os.Executable(); err != nil {
		return err
	}
	b := a.Build.filled()
	o.Version, o.Shared = b.Version, sharedFiles(b)
	steps, err := lifecycle.Install(ctx, p, o)
	if c := (*lifecycle.ConflictError)(nil); errors.As(err, &c) {
		return hinted(err, "%s", hint)
	}
	if err != nil {
		return err
	}
	binary := filepath.Join(o.Target, lifecycle.BinaryName())
	onPath := lifecycle.OnPath(o.Target, os.Getenv("PATH"))
	line, file := pathLine(p.Home, o.Target)
	if a.g.json {
		out := struct {
			Version  string           `json:"version"`
			Binary   string           `json:"binary"`
			DryRun   bool             `json:"dry_run"`
			OnPath   bool             `json:"on_path"`
			PathLine string           `json:"path_line,omitempty"`
			Steps    []lifecycle.Step `json:"steps"`
		}{b.Version, binary, o.DryRun, onPath, "", steps}
		if !onPath {
			out.PathLine = line
		}
		return a.printJSON(out)
	}
	if err := a.printSteps(steps, o.DryRun); err != nil || o.DryRun {
		return err
	}
	a.status("prontodb %s is installed", b.Version)
	if !onPath {
		a.status("%s is not on PATH: add this line to %s", o.Target, file)
		a.hint(line)
	}
	return nil
}

// places are the folders of the user who runs this.
func places() (lifecycle.Places, error) {
	var p lifecycle.Places
	var err error
	if p.Data, err = dataDir(); err != nil {
		return p, err
	}
	if p.Config, err = configDir(); err != nil {
		return p, err
	}
	p.Share = filepath.Dir(p.Data)
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		p.Home = home
	}
	return p, nil
}

// sharedFiles are the completions and the man page, where the shells and man
// look for them below $XDG_DATA_HOME.
func sharedFiles(b Build) []lifecycle.Shared {
	if runtime.GOOS == "windows" {
		return nil
	}
	return []lifecycle.Shared{
		{Path: "bash-completion/completions/prontodb", Content: bashCompletion()},
		{Path: "zsh/site-functions/_prontodb", Content: zshCompletion()},
		{Path: "fish/vendor_completions.d/prontodb.fish", Content: fishCompletion()},
		{Path: "man/man1/prontodb.1", Content: manPage(b)},
	}
}

// Documents are the completions and the man page of the program, for packages:
// content by file name.
func Documents(b Build) map[string][]byte {
	return map[string][]byte{
		"prontodb.bash": bashCompletion(),
		"_prontodb":     zshCompletion(),
		"prontodb.fish": fishCompletion(),
		"prontodb.1":    manPage(b),
	}
}

// pathLine is the line that puts dir on PATH, for the user's shell, and the
// file it belongs into.
func pathLine(home, dir string) (line, file string) {
	if runtime.GOOS == "windows" {
		return fmt.Sprintf(`[Environment]::SetEnvironmentVariable('Path', '%s;' + [Environment]::GetEnvironmentVariable('Path', 'User'), 'User')`,
			strings.ReplaceAll(dir, "'", "''")), "no file, but run it in PowerShell"
	}
	quoted := inDoubleQuotes(dir)
	if rel, ok := strings.CutPrefix(dir, home+"/"); ok && home != "" {
		quoted = "$HOME/" + inDoubleQuotes(rel)
	}
	switch shell := filepath.Base(os.Getenv("SHELL")); shell {
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

// printJSON prints a value as one line of JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// hint prints a line to paste beneath a status line, unless --quiet.
func (a *app) hint(line string) {
	if !a.g.quiet {
		fmt.Fprintf(a.Stderr, "hint: %s\n", oneLine(line))
	}
}
