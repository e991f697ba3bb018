package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

// The test binary starts itself as a child, which is told what to do by these variables.
const (
	childTask = "PLAYBOT_STORE_CHILD"
	childFile = "PLAYBOT_STORE_FILE"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childTask) {
	case "append":
		appendForever(os.Getenv(childFile))
	case "fill":
		fillDisk(os.Getenv(childFile))
	default:
		m.Run()
	}
}

// acknowledged is what a child was promised: the last sequence number of each stream.
type acknowledged map[engine.StreamID]engine.Seq

// note reads a line that a child printed after an append.
func (a acknowledged) note(line string) bool {
	var stream string
	var seq uint64
	if _, err := fmt.Sscanf(line, "ack %s %d", &stream, &seq); err != nil {
		return false
	}
	a[engine.StreamID(stream)] = max(a[engine.StreamID(stream)], engine.Seq(seq))
	return true
}

// want checks that everything is there, and that the store is sound.
func (a acknowledged) want(t *testing.T, path string) {
	t.Helper()
	s := openAt(t, path)
	defer closeStore(t, s)
	for stream, want := range a {
		events, err := readAll(t, s, stream)
		if err != nil || len(events) < int(want) {
			t.Errorf("%s has %d events (%v), want the %d that were acknowledged", stream, len(events), err, want)
		}
		for i, e := range events {
			p, ok := e.Payload.(engine.Refused)
			if want := mark(stream, engine.Seq(i+1)); !ok || e.Seq != engine.Seq(i+1) || !strings.HasPrefix(p.Rule, want) {
				t.Errorf("event %d of %s is %d: %.80v, want one marked %q", i+1, stream, e.Seq, e.Payload, want)
			}
		}
	}
	wantSound(t, s)
}

func mark(stream engine.StreamID, seq engine.Seq) string { return fmt.Sprintf("%s/%d/", stream, seq) }

func TestAppend_keepsWhatWasAcknowledgedBeforeAKill(t *testing.T) {
	t.Parallel()
	const rounds = 12
	path := newPath(t)
	acks := acknowledged{}
	random := rand.New(rand.NewPCG(1, 2))
	total := 0
	for range rounds {
		cmd, lines := child(t, "append", path)
		kill := 1 + random.IntN(300)
		got := 0
		for lines.Scan() { // what it said before it died counts, too
			if !acks.note(lines.Text()) {
				t.Fatalf("the child said %q", lines.Text())
			}
			if got++; got == kill {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || got < kill {
			t.Fatalf("the child ended by itself (%v) after %d lines", err, got)
		}
		total += got
		acks.want(t, path)
	}
	if total < rounds {
		t.Errorf("only %d appends were acknowledged", total)
	}
}

func TestAppend_losesNothingWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	acks := acknowledged{}
	cmd, lines := child(t, "fill", path)
	var said []string
	for lines.Scan() {
		if !acks.note(lines.Text()) {
			said = append(said, lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := strings.Join(said, "; "); !strings.HasPrefix(got, "full: write to the store "+path) || !strings.HasSuffix(got, "read; healed") {
		t.Errorf("the child said %q, want that the store was full, could be read, and healed", got)
	}
	if acks["bot"] < 2 {
		t.Errorf("got %d acknowledged appends, want some", acks["bot"])
	}
	acks.want(t, path)
}

// child starts the test binary with a task, and returns it with the lines that it prints.
func child(t *testing.T, task, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childTask+"="+task, childFile+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// say prints a line for the parent; each is one write, so that none is cut in two.
func say(format string, args ...any) {
	_, _ = os.Stdout.WriteString(fmt.Sprintf(format, args...) + "\n")
}

// appendForever has some callers append until somebody kills the process.
func appendForever(path string) {
	s, err := store.Open(path, store.Options{})
	if err != nil {
		say("%v", err)
		return
	}
	var wg sync.WaitGroup
	for i := range 8 {
		stream := engine.StreamID(fmt.Sprintf("playbook/%d", i))
		wg.Go(func() {
			if err := appendMarked(s, stream, func(engine.Seq) bool { return true }); err != nil {
				say("%v", err)
			}
		})
	}
	wg.Wait()
}

// appendMarked appends where the stream ends, says so after each append, and goes on while it is told to.
func appendMarked(s *store.Store, stream engine.StreamID, more func(engine.Seq) bool) error {
	ctx := context.Background()
	var seq engine.Seq
	for _, err := range s.Read(ctx, stream) {
		if err != nil {
			return err
		}
		seq++
	}
	for more(seq) {
		text := mark(stream, seq+1) + strings.Repeat("x", int(seq*37%2000))
		next, err := s.Append(ctx, stream, seq, engine.Refused{Rule: text})
		if err != nil {
			return err
		}
		seq = next
		say("ack %s %d", stream, seq)
	}
	return nil
}

// fillDisk appends until the file may not grow, reads, and goes on when it may grow again.
func fillDisk(path string) {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := store.Open(path, store.Options{})
	if err != nil {
		say("%v", err)
		return
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		say("%v", err)
		return
	}
	small := syscall.Rlimit{Cur: 200_000, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		say("%v", err)
		return
	}
	always := func(engine.Seq) bool { return true }
	say("full: %v", appendMarked(s, "bot", always))
	for range 3 { // it stays full, and stays usable
		if err := appendMarked(s, "bot", always); err == nil {
			say("an append succeeded on a full disk")
		}
	}
	events := 0
	for _, err := range s.Read(context.Background(), "bot") {
		if err != nil {
			say("%v", err)
			return
		}
		events++
	}
	say("read")
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		say("%v", err)
		return
	}
	until := engine.Seq(events + 50)
	if err := appendMarked(s, "bot", func(at engine.Seq) bool { return at < until }); err != nil {
		say("%v", err)
		return
	}
	if _, err := s.Check(context.Background()); err != nil {
		say("%v", err)
		return
	}
	if err := s.Close(); err != nil {
		say("%v", err)
		return
	}
	say("healed")
}
