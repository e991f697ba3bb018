package store_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine"
)

// What a commit costs is the pages that it writes: two waits for the disk and one write for each. Of the
// nine here, five are a lone append's however small the store is: the events, the head of the stream, the
// root, the free list and the meta page. The others are branches above them, and a page that is split.
func TestAppend_writesAtMostNinePages(t *testing.T) {
	t.Parallel()
	const runs, steps, want = 40, 50, 9
	s := openAt(t, newPath(t))
	oneRun := func() (pages int64) {
		run := start(t, s, "deploy", "U1", "")
		before := s.PagesWritten()
		for n := range steps {
			path := engine.Path("tasks." + strconv.Itoa(n))
			appendTo(t, s, run.Stream(),
				engine.TaskBegun{Path: path, Type: "shell", Description: "the next step", Tries: 1},
				engine.AttemptStarted{Path: path, Attempt: 1, Effect: engine.Once, Key: "0123456789abcdef0123456789abcdef"},
				engine.AttemptEnded{Path: path, Attempt: 1, OK: true, Result: engine.Result{Message: "done"}},
				engine.TaskEnded{Path: path, Status: engine.TaskOK, Message: "done"},
			)
		}
		return s.PagesWritten() - before
	}
	var wg sync.WaitGroup
	for range runs {
		wg.Go(func() { oneRun() })
	}
	wg.Wait()
	if got := float64(oneRun()) / steps; got > want {
		t.Errorf("an append to a store of %d runs writes %.1f pages, want at most %d", runs, got, want)
	}
}
