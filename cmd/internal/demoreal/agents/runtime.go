package agents

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Balancer is a running HAProxy, by the path of its runtime socket.
type Balancer string

// Server is a server of a backend, as HAProxy sees it.
type Server struct {
	Name     string
	Status   string // UP, DRAIN, DOWN, MAINT, or one of them with more
	Sessions int    // requests that it has now
}

// maxAnswer bounds what HAProxy says to one command.
const maxAnswer = 4 << 20

// ask sends one command. HAProxy closes the connection behind its answer.
func (b Balancer) ask(ctx context.Context, command string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", string(b))
	if err != nil {
		return "", fmt.Errorf("haproxy: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", fmt.Errorf("haproxy: %s: %w", command, err)
	}
	data, err := io.ReadAll(io.LimitReader(conn, maxAnswer))
	if err != nil {
		return "", fmt.Errorf("haproxy: %s: %w", command, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// do sends a command that changes something. Nothing is what HAProxy says when it did.
func (b Balancer) do(ctx context.Context, command string) error {
	said, err := b.ask(ctx, command)
	if err == nil && said != "" {
		err = fmt.Errorf("haproxy: %s: %s", command, said)
	}
	return err
}

// SetState gives a server the state drain, maint or ready.
func (b Balancer) SetState(ctx context.Context, backend, server, state string) error {
	name := regexp.MustCompile(`\A[A-Za-z0-9_.:-]+\z`) // as HAProxy allows; a space would begin another argument
	if !name.MatchString(backend) || !name.MatchString(server) {
		return fmt.Errorf("haproxy: %q of backend %q is not the name of a server", server, backend)
	}
	return b.do(ctx, "set server "+backend+"/"+server+" state "+state)
}

// Servers are those of a backend.
func (b Balancer) Servers(ctx context.Context, backend string) (map[string]Server, error) {
	said, err := b.ask(ctx, "show stat")
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(said, "# "))).ReadAll()
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("haproxy: show stat is no table: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	column := make(map[string]int)
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, name := range []string{"pxname", "svname", "status", "scur", "qcur"} {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("haproxy: show stat has no column %s", name)
		}
	}
	out := make(map[string]Server)
	for _, row := range rows[1:] {
		name := row[column["svname"]]
		if row[column["pxname"]] != backend || name == "BACKEND" || name == "FRONTEND" {
			continue
		}
		now, err := strconv.Atoi(row[column["scur"]])
		if err != nil {
			return nil, fmt.Errorf("haproxy: sessions of %s/%s: %w", backend, name, err)
		}
		queued, err := strconv.Atoi(row[column["qcur"]])
		if err != nil {
			return nil, fmt.Errorf("haproxy: queue of %s/%s: %w", backend, name, err)
		}
		out[name] = Server{Name: name, Status: row[column["status"]], Sessions: now + queued}
	}
	return out, nil
}
