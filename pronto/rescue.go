package pronto

import (
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
// Where the namespace exists and is not a cache, it is kept for good.
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
	o := SetOptions{TTL: RescueTTL}
	if !ns.Cache() {
		held, err := holdsEntries(tx, a.Project, a.Namespace)
		if err != nil {
			return Address{}, err
		}
		if held {
			o.TTL = 0
		} else if _, err := CreateCache(tx, a.Project, a.Namespace, RescueTTL, false); err != nil {
			return Address{}, err
		}
	}
	_, err = Set(tx, a, value, o)
	return a, err
}

// IsRescued reports whether a is the address of a rescued value, which goes
// when it is copied to where it belongs.
func IsRescued(a Address) bool {
	return a.Project == RescueProject && a.Namespace == RescueNamespace && a.Context == "" && strings.HasPrefix(a.Key, rescuePrefix)
}
