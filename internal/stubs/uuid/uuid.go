// Package uuid has what modernc.org/libc uses of github.com/google/uuid: random
// UUIDs, and their text (RFC 9562).
package uuid

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
)

// UUID is a universally unique identifier.
type UUID [16]byte

// New returns a random UUID, version 4.
func New() (u UUID) {
	// Seeded by the system (math/rand/v2); crypto/rand would be initialised at
	// every start.
	binary.NativeEndian.PutUint64(u[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(u[8:], rand.Uint64())
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// String writes u as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.
func (u UUID) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

var errFormat = errors.New("invalid UUID")

// Parse reads what String writes.
func Parse(s string) (u UUID, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, errFormat
	}
	b, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	if err != nil {
		return u, errFormat
	}
	return UUID(b), nil
}
