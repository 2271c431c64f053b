// Package house holds no program, only the test of how the others may stand to
// each other: its table says who imports whom, who may read the environment,
// who may print and end the process, and who knows what a database file looks
// like. A new package gets a row there.
package house
