package commands

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseSpan reads a length of time as people write it: 90s, 5m, 2h, 7d, 1h30m.
func ParseSpan(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 36500 {
			return 0, fmt.Errorf("%q is not a length of time; write 90s, 5m, 2h or 7d", Clean(short(s, 40)))
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a length of time; write 90s, 5m, 2h or 7d", Clean(short(s, 40)))
	}
	return d, nil
}
