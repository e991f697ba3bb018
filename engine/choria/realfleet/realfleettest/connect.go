package realfleettest

import (
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
)

// Connect is our client, with a window for discoveries that a busy machine does not outlast.
func Connect(tb testing.TB, o choria.Options) *choria.Client {
	tb.Helper()
	o.Window, o.MaxWait = 1500*time.Millisecond, 15*time.Second
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	c, err := choria.Connect(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}
