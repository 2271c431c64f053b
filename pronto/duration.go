package pronto

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// MaxTTL is the longest expiry, 100 years of 365 days.
const MaxTTL = 100 * 365 * 24 * time.Hour

var errDuration = errors.New("is not a duration such as 90s, 5m, 1h30m, 7d or a number of seconds")

// ParseDuration reads a duration as every command takes it (SPEC 2): a number
// of seconds, or numbers each with one of the units ms, s, m, h and d. A
// duration is never negative; the longest is about 292 years.
func ParseDuration(s string) (time.Duration, error) {
	if s == "" || strings.TrimLeft(s, "0123456789.") == "" {
		secs, err := strconv.ParseFloat(s, 64)
		if err != nil || secs*float64(time.Second) >= math.MaxInt64 {
			return 0, errDuration
		}
		return time.Duration(math.Round(secs * float64(time.Second))), nil
	}
	if strings.ContainsAny(s, "+-") {
		return 0, errDuration
	}
	var days time.Duration
	if d, rest, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseInt(d, 10, 64)
		if err != nil || n > int64(math.MaxInt64/(24*time.Hour)) {
			return 0, errDuration
		}
		days, s = time.Duration(n)*24*time.Hour, rest
		if s == "" {
			return days, nil
		}
	}
	rest, err := time.ParseDuration(s)
	if err != nil || rest < 0 || days > math.MaxInt64-rest {
		return 0, errDuration
	}
	return days + rest, nil
}
