package choria

import (
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// rememberedFilters bounds the filters of which it is known who answered.
	rememberedFilters = 64
	// rememberedNames bounds the names that are kept for all of them: some 10 MB.
	rememberedNames = 100_000
)

// memory knows who answered the last discovery by a filter, also of those who came too late for it:
// the next one waits for them. It is a help and never an answer. Safe for concurrent use.
type memory struct {
	mu      sync.Mutex            // guards what follows
	filters map[string]*answered  // by the filter
	order   []string              // filters, the one longest unused first
	late    map[string]*discovery // discoveries whose late answers still count, by id
}

// answered are the servers that a filter selected.
type answered struct{ names map[string]bool }

// discovery is one whose late answers count until a time.
type discovery struct {
	filter string
	until  time.Time
}

func newMemory() *memory {
	return &memory{filters: make(map[string]*answered), late: make(map[string]*discovery)}
}

// begin returns who is waited for, and from now on learns who is late, as long as one could have waited.
func (m *memory) begin(filter, id string, wait time.Duration) map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(m.late, func(_ string, d *discovery) bool { return now.After(d.until) })
	m.late[id] = &discovery{filter: filter, until: now.Add(wait)}
	if known := m.filters[filter]; known != nil {
		return maps.Clone(known.names)
	}
	return nil
}

// end notes who answered.
func (m *memory) end(filter string, found map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.order = append(slices.DeleteFunc(m.order, func(f string) bool { return f == filter }), filter)
	m.filters[filter] = &answered{names: maps.Clone(found)}
	for len(m.order) > rememberedFilters || m.size() > rememberedNames {
		delete(m.filters, m.order[0])
		m.order = m.order[1:]
	}
}

func (m *memory) size() int {
	n := 0
	for _, known := range m.filters {
		n += len(known.names)
	}
	return n
}

// awaits reports whether an answer that came too late for a discovery says something.
func (m *memory) awaits(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.late[id]
	return d != nil && !time.Now().After(d.until)
}

// learn notes who was late.
func (m *memory) learn(id, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.late[id]; d != nil && m.filters[d.filter] != nil && m.size() < rememberedNames {
		m.filters[d.filter].names[name] = true
	}
}
