package booktest

import (
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// hold is by whom something is held when the case begins, and until when.
type hold struct {
	by   string
	free time.Duration // when it is released; 0: never
}

// heldLock is a lock that another run holds when the case begins.
type heldLock struct {
	hold

	pos        playbooks.Pos
	store, key string
}

func readHeld(v value) []heldLock {
	var out []heldLock
	for _, e := range v.entries("held") {
		store, key, ok := strings.Cut(e.key, "/")
		if store == "" || ok && key == "" {
			v.r.problem(e.at, "write it as in coordination/deploy: 10m", "%q names no lock of a data store", e.key)
			continue
		}
		out = append(out, heldLock{pos: e.at, store: store, key: key, hold: readHold(e.value)})
	}
	return out
}

// readHold reads how long something is held, or a mapping that says by whom, too.
func readHold(v value) hold {
	h := hold{by: "another run"}
	if v.isMapping() {
		m := v.object("what another run holds", "by", "for")
		h.by, v = m["by"].text("by", h.by), m["for"]
	}
	if v.there() && v.text("for", "") != "ever" {
		h.free = v.duration("how long it is held", 0)
	}
	return h
}
