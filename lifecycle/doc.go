// Package lifecycle is what the packages below it share: where ProntoDB keeps
// things, and how what was done to a file is told. They are what happens to
// ProntoDB as a whole:
//
//   - install puts the program in place, and removes it;
//   - archive backs up and restores;
//   - doctor looks whether all is well, and where everything is.
//
// Each says in its documentation what it may touch. None of them needs the
// rights of the superuser, asks for them, or follows a path that is not listed
// there. They know databases through package pronto alone, whatever the engine.
package lifecycle
