package format

import (
	"slices"
	"strings"
)

// specialNames are variables that make programs run others, or decide which
// ones are found or what they load, in byte order. Such a list is never
// complete; these are those of the dynamic linkers, the shells, git, ssh, and
// the runtimes of common languages.
var specialNames = []string{
	"ASKPASS", "BASH_ENV", "BROWSER", "CDPATH", "CLASSPATH", "CURL_HOME", "EDITOR", "ENV", "FCEDIT", "FPATH", "GCONV_PATH",
	"GLOBIGNORE", "GOFLAGS", "HISTFILE", "HOME", "HOSTALIASES", "IFS", "INPUTRC", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS",
	"LESSCLOSE", "LESSOPEN", "LOCPATH", "LUA_CPATH", "LUA_INIT", "LUA_PATH", "MAILCHECK", "MAILPATH", "MAKEFLAGS", "MANPAGER",
	"MAVEN_OPTS", "NLSPATH", "NODE_OPTIONS", "NODE_PATH", "NPM_CONFIG_PREFIX", "OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES",
	"PAGER", "PATH", "PATHEXT", "PERL5DB", "PERL5LIB", "PERL5OPT", "PERLLIB", "PHPRC", "PHP_INI_SCAN_DIR", "PROMPT_COMMAND", "PS0",
	"PS1", "PS2", "PS4", "PYTHONHOME", "PYTHONINSPECT", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "RESOLV_HOST_CONF",
	"RUBYLIB", "RUBYOPT", "RUSTC_WRAPPER", "R_ENVIRON", "R_PROFILE", "SHELL", "SHELLOPTS", "SSH_ASKPASS", "SUDO_ASKPASS",
	"SUDO_EDITOR", "SYSTEMD_EDITOR", "TCLLIBPATH", "TERMCAP", "TERMINFO", "TERMINFO_DIRS", "VISUAL", "XDG_CONFIG_DIRS",
	"XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_DATA_HOME", "ZDOTDIR", "_JAVA_OPTIONS",
}

// specialPrefixes begin names of families of such variables.
var specialPrefixes = [...]string{"BASH_FUNC_", "DYLD_", "GIT_", "LD_", "PRONTODB_"}

// IsSpecialEnv reports whether a variable is known to run or find programs, or
// to be read by ProntoDB itself. A name that is not known may do so, too.
func IsSpecialEnv(name string) bool {
	if _, special := slices.BinarySearch(specialNames, name); special {
		return true
	}
	return slices.ContainsFunc(specialPrefixes[:], func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
