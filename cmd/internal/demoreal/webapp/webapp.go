// Package webapp is the application that is deployed: a small HTTP server that knows its revision. It is
// rude on purpose. It needs a moment before it listens, and when it is told to end it does so at once,
// with whatever requests it has: who restarts it while it serves somebody loses requests.
package webapp

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// Port is where it listens, on the address of its machine.
	Port = "8080"
	// PIDFile holds its process number, in its folder.
	PIDFile = "app.pid"
	// Current is the release that it runs, in its folder.
	Current = "current"
	// RevisionFile is the part of a release that says which it is.
	RevisionFile = "REVISION"
	// BrokenFile is the part of a release that cannot serve.
	BrokenFile = "BROKEN"

	warmUp  = 300 * time.Millisecond
	workMin = 5 * time.Millisecond
	workMax = 45 * time.Millisecond
	// One request in so many takes so long. Who does not wait for those loses them.
	longOne  = 20
	longWork = time.Second
)

// Answer is what a request is told.
type Answer struct {
	Node     string `json:"node"`
	Revision string `json:"revision"`
}

// Serve runs the application of a machine: the release in its folder, on its address. It returns only
// with an error.
func Serve(ctx context.Context, node, address, folder string) error {
	release := filepath.Join(folder, Current)
	revision, err := os.ReadFile(filepath.Join(release, RevisionFile))
	if err != nil {
		return fmt.Errorf("webapp: %w", err)
	}
	_, err = os.Stat(filepath.Join(release, BrokenFile))
	a := &application{answer: Answer{Node: node, Revision: strings.TrimSpace(string(revision))}, broken: err == nil}
	if err := os.WriteFile(filepath.Join(folder, PIDFile), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return fmt.Errorf("webapp: %w", err)
	}
	time.Sleep(warmUp)
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(address, Port))
	if err != nil {
		return fmt.Errorf("webapp: %w", err)
	}
	srv := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second}
	return srv.Serve(ln)
}

type application struct {
	answer Answer
	broken bool
}

func (a *application) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("well\n")) })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "revision %s\n", a.answer.Revision) })
	mux.HandleFunc("POST /", a.work)
	if !a.broken {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "revision "+a.answer.Revision+" cannot reach its database", http.StatusInternalServerError)
	})
}

// work takes a while, so that there are always requests under way.
func (a *application) work(w http.ResponseWriter, _ *http.Request) {
	took := workMin + rand.N(workMax-workMin) //nolint:gosec // no secret
	if rand.N(longOne) == 0 {                 //nolint:gosec // no secret
		took = longWork
	}
	time.Sleep(took)
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(a.answer); err != nil {
		return // the client has gone
	}
}
