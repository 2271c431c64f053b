package cli

import "testing"

func TestPathLine(t *testing.T) {
	for _, c := range []struct{ shell, dir, line, file string }{
		{"bash", "/home/u/.local/bin", `export PATH="$HOME/.local/bin:$PATH"`, "~/.bashrc"},
		{"zsh", "/home/u/.local/bin", `export PATH="$HOME/.local/bin:$PATH"`, "~/.zshrc"},
		{"dash", "/opt/a b", `export PATH="/opt/a b:$PATH"`, "~/.profile"},
		{"fish", "/home/u2/bin", `fish_add_path "/home/u2/bin"`, "~/.config/fish/config.fish"},
		{"", "/opt/$x`y\"z\\", `export PATH="/opt/\$x\` + "`" + `y\"z\\:$PATH"`, "~/.profile"},
	} {
		if line, file := pathLine("/home/u", c.dir, c.shell); line != c.line || file != c.file {
			t.Errorf("%s, %s: %s in %s, want %s in %s", c.shell, c.dir, line, file, c.line, c.file)
		}
	}
}
