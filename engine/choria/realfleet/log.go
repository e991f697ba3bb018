package realfleet

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/sirupsen/logrus"
)

// logKept bounds the lines that a failed test prints.
const logKept = 200

// fleetLog is the logger of the broker and all servers: silent unless the test fails. The broker
// has no other way to say which port it was given.
type fleetLog struct {
	*logrus.Logger
	listening chan string // the broker's address, once

	mu    sync.Mutex // guards lines
	lines []string
}

func newLog(tb testing.TB) *fleetLog {
	tb.Helper()
	l := &fleetLog{Logger: logrus.New(), listening: make(chan string, 1)}
	l.SetOutput(io.Discard)
	l.SetLevel(logrus.InfoLevel)
	l.AddHook(hook{l})
	tb.Cleanup(func() {
		if tb.Failed() {
			l.mu.Lock()
			defer l.mu.Unlock()
			tb.Log("the fleet's last warnings:\n" + strings.Join(l.lines, "\n"))
		}
	})
	return l
}

type hook struct{ log *fleetLog }

// Levels implements [logrus.Hook].
func (hook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements [logrus.Hook].
func (h hook) Fire(e *logrus.Entry) error {
	if addr, ok := strings.CutPrefix(e.Message, "Listening for client connections on "); ok {
		select {
		case h.log.listening <- addr:
		default:
		}
	}
	if e.Level > logrus.WarnLevel {
		return nil
	}
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	h.log.lines = append(h.log.lines, e.Message)
	h.log.lines = h.log.lines[max(0, len(h.log.lines)-logKept):]
	return nil
}
