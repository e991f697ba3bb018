package realpdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

const (
	postgresUser = "postgres"
	// attempts is how often a port is chosen. Another program may take it before PostgreSQL does.
	attempts = 5
)

// postgresBin is the folder of PostgreSQL's programs; Debian keeps one for each version.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", fmt.Errorf("/usr/lib/postgresql is %w", ErrMissing)
	}
	return slices.MaxFunc(found, func(a, b string) int {
		return version(a) - version(b)
	}), nil
}

// version is the number in the path of a folder of programs; 0 when it has none.
func version(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}

// startPostgres makes a database for PuppetDB and returns the port that it is served on.
func (s *Server) startPostgres(ctx context.Context) (port int, err error) {
	bin, err := postgresBin()
	if err != nil {
		return 0, err
	}
	home, err := s.folder("postgres", postgresUser)
	if err != nil {
		return 0, err
	}
	data := filepath.Join(home, "data")
	run := func(program string, args ...string) error {
		_, err := daemon.Run(ctx, daemon.Command{Name: program, Argv: append([]string{filepath.Join(bin, program)}, args...), User: postgresUser, Dir: home})
		return err
	}
	// Whoever enters the folder of the socket is trusted; over TCP there is a password.
	err = run("initdb", "-D", data, "--auth-local=trust", "--auth-host=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	for n := 0; err == nil; n++ {
		if port, err = s.servePostgres(ctx, bin, home, data); err == nil || n == attempts || !strings.Contains(err.Error(), "Address already in use") {
			break
		}
		err = nil
	}
	if err != nil {
		return 0, err
	}
	s.password = rand.Text()
	return port, run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", home, "-p", strconv.Itoa(port), "-U", postgresUser, "-d", "postgres",
		"-c", "create role puppetdb login password '"+s.password+"'", "-c", "create database puppetdb owner puppetdb",
		"-c", `\connect puppetdb`, "-c", "create extension pg_trgm")
}

// servePostgres returns when the database takes connections. Nothing in it must outlive the machine,
// so nothing waits for the disk.
func (s *Server) servePostgres(ctx context.Context, bin, home, data string) (int, error) {
	port, err := freePort(ctx)
	if err != nil {
		return 0, err
	}
	ready := make(chan struct{}, 1)
	s.postgres, err = daemon.Start(ctx, daemon.Command{
		Name: "PostgreSQL", User: postgresUser, Dir: home, Signal: syscall.SIGINT, // its fast shutdown
		Argv: []string{
			filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=" + home, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off",
		},
		Line: func(line string) {
			if strings.Contains(line, "ready to accept connections") {
				select {
				case ready <- struct{}{}:
				default:
				}
			}
		},
	})
	if err != nil {
		return 0, err
	}
	select {
	case <-ready:
		return port, nil
	case <-s.postgres.Done():
		return 0, s.postgres.Err()
	case <-ctx.Done():
		return 0, fmt.Errorf("PostgreSQL is not ready: %w", context.Cause(ctx))
	}
}

// freePort is one of loopback that nobody had a moment ago.
func freePort(ctx context.Context) (int, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
