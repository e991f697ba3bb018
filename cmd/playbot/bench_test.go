package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// hello is a playbook that does nearly nothing.
const hello = `name: hello
version: 1.0.0
author: Test <test@example.net>
description: Says something
run_as: choria=deploy.bot
tasks:
  - log:
      message: hello
`

// benchSite starts the real program on a site with a playbook that does nearly nothing.
func benchSite(b *testing.B) *site {
	b.Helper()
	s := newSite(b)
	if err := os.WriteFile(filepath.Join(s.Config.Playbooks, "hello.yaml"), []byte(hello), 0o600); err != nil {
		b.Fatal(err)
	}
	s.start()
	s.poll("the bot to connect", func() bool { return s.Workspace.Connected() > 0 })
	return s
}

// BenchmarkServe_idle reports what the program needs when nothing is under way.
func BenchmarkServe_idle(b *testing.B) {
	s := benchSite(b)
	for b.Loop() {
		s.command("/playbook whoami")
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.serve.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(kib)[0])
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(n)/1024, "MiB-resident")
		}
	}
}

// BenchmarkServe_hundredAtOnce asks for a hundred runs at once over Socket Mode, and wants every one
// of them in the history.
func BenchmarkServe_hundredAtOnce(b *testing.B) {
	const people = 100
	s := benchSite(b)
	asked := 0
	var took []time.Duration
	for b.Loop() {
		took = append(took, s.askAtOnce(b, people)...)
		asked += people
	}
	b.StopTimer()
	s.serve.kill()
	if runs, _ := s.runs(); len(runs) != asked {
		b.Errorf("%d runs were asked for, %d are in the history", asked, len(runs))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-to-ack-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-to-ack-p99")
}

// askAtOnce types a command as many people and returns how long each waited for the answer.
func (s *site) askAtOnce(b *testing.B, people int) []time.Duration {
	b.Helper()
	var wg sync.WaitGroup
	took := make([]time.Duration, people)
	for i := range people {
		wg.Go(func() {
			began := time.Now()
			m, err := s.Workspace.Slash(b.Context(), "ana", room, "/playbook run hello")
			if err != nil || m == nil {
				b.Errorf("command %d was not answered: %v", i, err)
			}
			took[i] = time.Since(began)
		})
	}
	wg.Wait()
	return took
}
