// Package notify tells processes that have a database open that it may have
// changed, by what the system says of its files: see DESIGN.md.
package notify
