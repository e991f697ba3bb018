package realfleet

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/playbot/playbot/engine/choria/realfleet/member"
	"github.com/playbot/playbot/engine/choria/realfleet/webagents"
)

// Audited is a line of a server's audit log, as Choria's servers write it.
type Audited struct {
	RequestID string          `json:"request_id"`
	Caller    string          `json:"caller"`
	Sender    string          `json:"sender"`
	Agent     string          `json:"agent"`
	Action    string          `json:"action"`
	Data      json.RawMessage `json:"data"`
}

// Audit reads the audit log of a server: every request to an action that it has, whatever came of it.
func (f *Fleet) Audit(tb testing.TB, node string) []Audited {
	tb.Helper()
	var out []Audited
	lines := bufio.NewScanner(bytes.NewReader(f.read(tb, node, member.AuditFile)))
	lines.Buffer(nil, maxAuditLine)
	for lines.Scan() {
		var a Audited
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			tb.Fatalf("audit log of %s: %v", node, err)
		}
		out = append(out, a)
	}
	if err := lines.Err(); err != nil {
		tb.Fatalf("audit log of %s: %v", node, err)
	}
	return out
}

const maxAuditLine = 1 << 20

// Log reads what a server has logged so far, of level info and above.
func (f *Fleet) Log(tb testing.TB, node string) string {
	tb.Helper()
	return string(f.read(tb, node, member.LogFile))
}

// read reads a file of a server; none is an empty one.
func (f *Fleet) read(tb testing.TB, node, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(f.site.folder(node), name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	return data
}

// State is what the external agents made of a server.
func (f *Fleet) State(tb testing.TB, node string) webagents.State {
	tb.Helper()
	var out webagents.State
	f.Update(tb, node, func(s *webagents.State) { out = *s })
	return out
}

// Update changes what a server with external agents is like.
func (f *Fleet) Update(tb testing.TB, node string, change func(*webagents.State)) {
	tb.Helper()
	if err := webagents.Update(filepath.Join(f.site.folder(node), stateFile), change); err != nil {
		tb.Fatalf("state of %s: %v", node, err)
	}
}

// Fault makes an action of an external agent misbehave.
func (f *Fleet) Fault(tb testing.TB, fault webagents.Fault) {
	tb.Helper()
	if err := webagents.AddFault(f.faults, fault); err != nil {
		tb.Fatal(err)
	}
}
