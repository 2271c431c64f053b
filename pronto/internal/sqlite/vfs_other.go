//go:build !linux

package sqlite

func setupPlatform() {}
