// Package crashes has the tests that take the disk away from the program: its
// power fails at any moment (powercut_test.go), or one of its system calls does
// (failure_test.go). Both run the program as it is shipped under strace.
//
// A trace is read into the changes that it made to files (trace.go). A model of
// a file system (disk.go) keeps apart what a sync has made durable and what may
// be lost, and makes images of what a loss of power could leave (image.go).
// Each is opened by the program, which must find what had been acknowledged.
//
// A run takes samples. PRONTODB_CRASHES=all, or "make crashes", looks at every
// moment and every call.
package crashes
