// Package e2e has the tests that run the program otherwise than a script can:
// many processes at once, kills at random moments, signals, a full disk, limits
// of memory, input of any bytes. It is tests alone; what one call does is
// promised, and tested, in testdata/script.
//
// PRONTODB_SOAK=10 has those that are a matter of luck try ten times as often.
package e2e
