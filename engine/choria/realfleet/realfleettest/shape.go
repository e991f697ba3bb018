package realfleettest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/realfleet"
)

// Shapes holds the replies of simulated servers against those of real ones.
func Shapes(t *testing.T, _ realfleet.Kit, mode realfleet.Mode) {
	t.Helper()
	f := realfleet.Start(t, realfleet.Options{Mode: mode})
	d := simulate(t, mode, f.Identity, realfleet.Six())
	c, double := Connect(t, f.Options()), Connect(t, d.options)
	for name, q := range map[string]choria.Request{
		"ping":             {Agent: "rpcutil", Action: "ping"},
		"inventory":        {Agent: "rpcutil", Action: "inventory"},
		"agent inventory":  {Agent: "rpcutil", Action: "agent_inventory"},
		"fact":             {Agent: "rpcutil", Action: "get_fact", Data: map[string]any{"fact": "os.family"}},
		"fact not there":   {Agent: "rpcutil", Action: "get_fact", Data: map[string]any{"fact": "nosuch"}},
		"fact not named":   {Agent: "rpcutil", Action: "get_fact"},
		"status":           {Agent: "appmgr", Action: "status"},
		"upgrade":          {Agent: "appmgr", Action: "upgrade", Data: map[string]any{"revision": "2.0.0"}},
		"missing input":    {Agent: "appmgr", Action: "upgrade"},
		"unknown action":   {Agent: "rpcutil", Action: "nosuch"},
		"unknown agent":    {Agent: "nosuch", Action: "ping", Timeout: 500 * time.Millisecond},
		"no such identity": {Agent: "rpcutil", Action: "ping", Nodes: []string{"web9.example.net"}, Timeout: 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if q.Nodes == nil {
				q.Nodes = []string{"web1.example.net"}
			}
			real, err := c.Call(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			simulated, err := double.Call(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := shape(simulated), shape(real); got != want {
				t.Errorf("the simulated server says\n%s\nthe real one says\n%s", got, want)
			}
		})
	}
}

// shape tells what a result looks like, without the values that differ from server to server.
func shape(res choria.Result) string {
	var b strings.Builder
	for _, r := range res.Replies {
		fmt.Fprintf(&b, "%s: %d %s\n", r.Sender, r.StatusCode, r.StatusMsg)
		outline(&b, "data", r.Data)
	}
	fmt.Fprintf(&b, "silent: %s, malformed: %d\n", plain(strings.Join(res.Silent, " ")), res.Malformed)
	return b.String()
}

// outline writes one line for each path in a value. A list stands for all its items: what any of
// them has is there once.
func outline(b *strings.Builder, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		fmt.Fprintf(b, "%s {}\n", path)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			outline(b, path+"."+k, v[k])
		}
	case []any:
		fmt.Fprintf(b, "%s []\n", path)
		lines := map[string]bool{}
		for _, item := range v {
			var one strings.Builder
			outline(&one, path+"[]", item)
			for line := range strings.Lines(one.String()) {
				lines[line] = true
			}
		}
		b.WriteString(strings.Join(slices.Sorted(maps.Keys(lines)), ""))
	default:
		fmt.Fprintf(b, "%s %T\n", path, v)
	}
}
