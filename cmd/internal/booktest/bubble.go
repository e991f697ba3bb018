package booktest

import (
	"fmt"
	"runtime/debug"
	"testing"
	"testing/synctest"
)

// inBubble calls f where time is virtual: it jumps to the next timer as soon as everything waits. See
// docs/adr/0016. It returns when every goroutine that f started has ended; an error says that one never
// would, or that f panicked.
func inBubble(f func()) error {
	done := make(chan error, 1)
	go func() {
		var inside error
		defer func() {
			if p := recover(); p != nil { // what synctest panics with: a deadlock
				inside = fmt.Errorf("the case cannot go on: %v", p)
			}
			done <- inside
		}()
		synctest.Test(new(testing.T), func(*testing.T) {
			defer func() {
				if p := recover(); p != nil {
					inside = fmt.Errorf("the program panicked, which is a bug: %v\n%s", p, debug.Stack())
				}
			}()
			f()
		})
	}()
	return <-done
}
