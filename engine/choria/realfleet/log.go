package realfleet

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/sirupsen/logrus"

	"github.com/playbot/playbot/engine/choria/realfleet/member"
)

// logKept bounds the lines that a failed test prints.
const logKept = 200

// fleetLog makes the loggers of the broker and of all servers. Each writes into a file; what is a
// warning or worse is printed when the test fails.
type fleetLog struct {
	listening member.Listening // of the broker
	tb        testing.TB

	mu    sync.Mutex // guards lines
	lines []string
}

func newLog(tb testing.TB) *fleetLog {
	tb.Helper()
	l := &fleetLog{listening: member.NewListening(), tb: tb}
	tb.Cleanup(func() {
		if tb.Failed() {
			l.mu.Lock()
			defer l.mu.Unlock()
			tb.Log("the fleet's last warnings:\n" + strings.Join(l.lines, "\n"))
		}
	})
	return l
}

// of is the logger of one member, which writes into a file until the test ends.
func (l *fleetLog) of(path string) (*logrus.Logger, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	logger := logrus.New()
	logger.SetOutput(file)
	logger.SetFormatter(&logrus.TextFormatter{DisableColors: true})
	logger.SetLevel(logrus.InfoLevel)
	logger.AddHook(hook{l})
	l.tb.Cleanup(func() {
		logger.SetOutput(io.Discard) // some of go-choria's goroutines end after the server has said that it did
		if err := file.Close(); err != nil {
			l.tb.Errorf("close %s: %v", path, err)
		}
	})
	return logger, nil
}

type hook struct{ log *fleetLog }

// Levels implements [logrus.Hook].
func (hook) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements [logrus.Hook].
func (h hook) Fire(e *logrus.Entry) error {
	if err := h.log.listening.Fire(e); err != nil {
		return err
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
