package realfleettest

import (
	"cmp"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
)

// LongWindow is for discoveries that happen once: also a machine that is busy with thirty things lets a
// server answer in it.
const LongWindow = 6 * time.Second

// Connect is our client. Without a window for discoveries it has one that suffices most of the time.
func Connect(tb testing.TB, o choria.Options) *choria.Client {
	tb.Helper()
	o.Window, o.MaxWait, o.Timeout = cmp.Or(o.Window, 1500*time.Millisecond), 15*time.Second, cmp.Or(o.Timeout, time.Minute)
	o.Patient = true // also for the broker
	c, err := choria.Connect(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}
