package choria

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func names(n int) map[string]bool {
	set := make(map[string]bool, n)
	for i := range n {
		set[fmt.Sprint(i)] = true
	}
	return set
}

func TestMemory_isBounded(t *testing.T) {
	t.Parallel()
	m := newMemory()
	for i := range 3 * rememberedFilters {
		m.end(fmt.Sprint(i), names(10))
	}
	if len(m.filters) != rememberedFilters || len(m.order) != rememberedFilters || m.begin("0", "a", time.Second) != nil {
		t.Errorf("%d filters are remembered, want %d", len(m.filters), rememberedFilters)
	}
	for i := range 4 {
		m.end(fmt.Sprint("big", i), names(rememberedNames/2))
	}
	if m.size() > rememberedNames || len(m.begin("big3", "b", time.Second)) != rememberedNames/2 {
		t.Errorf("%d names are remembered", m.size())
	}
	m.end("huge", names(rememberedNames+1))
	if m.size() != 0 {
		t.Errorf("%d names are remembered of too many", m.size())
	}
}

func TestMemory_keepsTheFilterThatIsInUse(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.end("used", names(1))
	for i := range 2 * rememberedFilters {
		m.end(fmt.Sprint(i), names(1))
		m.end("used", names(1))
	}
	if m.begin("used", "a", time.Second) == nil {
		t.Error("the filter that was used last is forgotten")
	}
}

func TestMemory_learnsWhoIsLateForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.begin("f", "id", time.Second)
		m.learn("id", "early") // before anybody knows who answered
		m.end("f", names(1))
		if !m.awaits("id") || m.awaits("other") {
			t.Error("it does not await the late answers of its own discovery alone")
		}
		m.learn("id", "late")
		if got := m.begin("f", "next", time.Second); len(got) != 2 || !got["late"] {
			t.Errorf("got %v", got)
		}
		time.Sleep(time.Second + 1)
		if m.begin("f", "third", time.Second); m.awaits("id") || len(m.late) != 1 {
			t.Errorf("%d discoveries still learn", len(m.late))
		}
	})
}
