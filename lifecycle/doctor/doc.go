// Package doctor looks at an installation and all its databases: whether all is
// well, and where everything is, and how large. It reads, and changes nothing;
// where no process has a database open it leaves no file beside it.
package doctor
