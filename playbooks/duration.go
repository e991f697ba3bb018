package playbooks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a duration as playbooks and people write it: a bare number is seconds; d is a day of 24 hours.
func ParseDuration(v any) (time.Duration, error) {
	switch v.(type) {
	case []any, map[string]any, bool, nil:
		return 0, fmt.Errorf("%s is not a duration", describe(v))
	}
	s := strings.TrimSpace(text(v))
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return checkDuration(time.Duration(n*float64(time.Second)), n)
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil {
			return checkDuration(time.Duration(n*24*float64(time.Hour)), n*86400)
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	return checkDuration(d, d.Seconds())
}

func checkDuration(d time.Duration, seconds float64) (time.Duration, error) {
	const century = 100 * 365 * 86400
	if seconds != seconds || seconds < 0 || seconds > century { // not a number, negative, or it would overflow
		return 0, errors.New("a duration lies between 0 and a century")
	}
	return d, nil
}
