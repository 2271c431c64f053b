// Package cmdline reads command lines: flags in any place, the environment and
// the configuration file. It knows what a command is, but no command.
package cmdline
