package pronto

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// A value that was piped to an address nobody can store to is kept in a cache
// of its own for a while (SPEC 4).
const (
	RescueProject   = "pipe"
	RescueNamespace = "cache"
	RescueTTL       = 15 * time.Minute

	rescuePrefix = "rescued-"
)

// Rescue keeps value under a fresh key for [RescueTTL] and returns its address.
func Rescue(tx Writer, value []byte) (Address, error) {
	revision, err := tx.Revision()
	if err != nil {
		return Address{}, err
	}
	a := Address{Project: RescueProject, Namespace: RescueNamespace, Key: rescuePrefix + strconv.FormatInt(revision+1, 10)}
	ns, err := tx.Namespace(a.Project, a.Namespace)
	if err != nil {
		return Address{}, err
	}
	if !ns.Cache() {
		_, err := CreateCache(tx, a.Project, a.Namespace, RescueTTL, false)
		if err != nil && !errors.Is(err, ErrHoldsPermanent) { // which it stays plain for
			return Address{}, err
		}
	}
	_, err = Set(tx, a, value, SetOptions{TTL: RescueTTL})
	return a, err
}

// IsRescued reports whether a is the address of a rescued value, which goes
// when it is copied to where it belongs.
func IsRescued(a Address) bool {
	return a.Project == RescueProject && a.Namespace == RescueNamespace && a.Context == "" && strings.HasPrefix(a.Key, rescuePrefix)
}
