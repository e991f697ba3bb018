// Package daemon runs servers of other people beside a test or a demonstration: as the user that they want,
// in a process group of their own, which ends with them, with the last lines that they said at hand when they fail. A daemon
// ends with [Process.Stop], and on Linux also with the process that started it, however that ends.
package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// grace is how long a daemon has to end before it is killed, and its children to let go of its output.
	grace = 10 * time.Second
	// kept bounds the lines of a daemon that an error shows.
	kept = 20
	// longest bounds a line; what is longer is cut into several.
	longest = 16 << 10
)

// Command is a daemon to start.
type Command struct {
	Name   string            // in errors: "PostgreSQL"
	Argv   []string          // the program, and its arguments
	Dir    string            // where it runs; empty: where we do
	Env    []string          // beside [Environment]
	User   string            // who runs it when we are root; empty: we do
	Signal syscall.Signal    // ends it; default SIGTERM
	Line   func(line string) // is told each line of its output, from one goroutine; nil: nobody
}

// Process is a daemon that was started. Safe for concurrent use.
type Process struct {
	name   string
	signal syscall.Signal
	cmd    *exec.Cmd
	done   chan struct{}
	output *os.File // of the pipe, our end

	mu    sync.Mutex // guards what follows
	lines []string
	err   error // how it ended
}

// Environment is what a daemon finds besides what its command adds: little, and the same everywhere.
func Environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"}
}

// Start starts a daemon. It returns once the program runs; whether it serves, the caller finds out. The
// daemon runs until it is stopped, whatever becomes of ctx.
func Start(ctx context.Context, c Command) (*Process, error) {
	credential, err := as(c.User)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	if c.Signal == 0 {
		c.Signal = syscall.SIGTERM
	}
	p := &Process{name: c.Name, signal: c.Signal, done: make(chan struct{}), output: ours}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), c.Argv[0], c.Argv[1:]...) //nolint:gosec // tests and demonstrations name the program
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = c.Dir, append(Environment(), c.Env...), theirs, theirs
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: credential}
	endWithUs(p.cmd.SysProcAttr)
	started := make(chan error, 1)
	go p.run(started, theirs, c.Line)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	return p, nil
}

// run starts the program, reads what it says, and returns when it has ended.
func (p *Process) run(started chan<- error, theirs *os.File, line func(string)) {
	// Linux ends a child with the thread that started it, so this one lives as long as the child.
	runtime.LockOSThread()
	defer close(p.done)
	err := p.cmd.Start()
	_ = theirs.Close() // the child has its own
	if err != nil {
		_ = p.output.Close()
		started <- err
		return
	}
	started <- nil
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(line)
	}()
	err = p.cmd.Wait()
	// What it left behind would hold ports and files of a daemon that is gone. The group keeps its number while there
	// is somebody in it; if there is nobody, numbers go round in a circle, and nobody has this one so soon.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	// What has left the group may still have the other end; nobody waits for that for ever.
	patience := time.AfterFunc(grace, func() { _ = p.output.Close() })
	<-read
	patience.Stop()
	_ = p.output.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err = err; err == nil {
		p.err = errors.New("exit status 0")
	}
}

func (p *Process) read(line func(string)) {
	in := bufio.NewReaderSize(p.output, longest)
	for {
		data, err := in.ReadSlice('\n')
		if text := strings.TrimRight(string(data), "\r\n"); text != "" {
			p.mu.Lock()
			p.lines = append(p.lines, text)
			p.lines = p.lines[max(0, len(p.lines)-kept):]
			p.mu.Unlock()
			if line != nil {
				line(text)
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return // io.EOF, or we have closed our end
		}
	}
}

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the daemon has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says, when the daemon has ended, that it did, how, and what it said last; nil while it runs.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("%s ended: %w; it said last:\n%s", p.name, p.err, strings.Join(p.lines, "\n"))
}

// Said is the end of what it said so far.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

// Stop tells the daemon to end, and kills its group when it does not within 10 s. It returns when the
// daemon is gone; what it had started in its group is killed when it ends, however it does. Stop may be called twice.
func (p *Process) Stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(p.signal) // it may have ended meanwhile
	late := time.AfterFunc(grace, func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	<-p.done
}

// Run runs a program that ends by itself, as [Start] would, and returns what it said.
func Run(ctx context.Context, c Command) (string, error) {
	p, err := Start(ctx, c)
	if err != nil {
		return "", err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Stop()
		return p.Said(), fmt.Errorf("%s: %w", c.Name, context.Cause(ctx))
	}
	if !p.cmd.ProcessState.Success() {
		return p.Said(), p.Err()
	}
	return p.Said(), nil
}

// Poll asks until there is no error, and gives up when the daemon or ctx ends.
func (p *Process) Poll(ctx context.Context, ask func(context.Context) error) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last error
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err // and not that time was up in the middle of asking
		}
		select {
		case <-p.done:
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; it said last:\n%s", p.name, errors.Join(context.Cause(ctx), last), p.Said())
		case <-tick.C:
		}
	}
}

// pollEvery is often enough that nobody notices, and seldom enough for a small machine.
const pollEvery = 50 * time.Millisecond
