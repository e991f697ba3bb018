package engine

import (
	"context"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// view is what templates and expressions see of a run.
func (p *performer) view() playbooks.Scope {
	s := playbooks.Scope{
		Metadata: metadata(p.book),
		Run:      runItems(p.run),
		Tasks:    namedResults(p.run, p.book, p.path),
		Previous: p.run.result(p.run.Previous),
		Failed:   p.run.result(p.run.Failed),
		Started:  p.run.At,
		Now:      time.Now,
	}
	if p.run.Prepared != nil {
		s.Nodes = p.run.Prepared.Nodes
	}
	s.Wave = p.run.waveItems(p.path)
	closed := p.withoutStores(s)
	s.Input = func(ctx context.Context, name string) (any, error) {
		return p.session.input(ctx, p.inputs(), name, closed)
	}
	return s
}

// withoutStores is the scope in which the properties of data stores are rendered.
func (p *performer) withoutStores(s playbooks.Scope) playbooks.Scope {
	s.Input = func(_ context.Context, name string) (any, error) {
		return p.session.static(p.inputs(), name)
	}
	return s
}

// store is a data store of the playbook.
func (p *performer) store(ctx context.Context, name string) (DataStore, error) {
	return p.session.store(ctx, name, p.withoutStores(p.scope()))
}

// inputs are the static inputs of the run.
func (p *performer) inputs() map[string]any {
	if p.run.Prepared != nil {
		return p.run.Prepared.Inputs
	}
	return p.run.Requested.Inputs
}

func metadata(b *playbooks.Playbook) map[string]any {
	tags := make([]any, len(b.Tags))
	for i, t := range b.Tags {
		tags[i] = t
	}
	return map[string]any{
		"name": b.Name, "version": b.Version, "author": b.Author, "description": b.Description,
		"run_as": b.RunAs, "loglevel": b.LogLevel, "tags": tags, "on_fail": "fail",
	}
}

func runItems(r *Run) map[string]any {
	approvers := []any{}
	for _, a := range r.Approvers() {
		approvers = append(approvers, a.Label())
	}
	return map[string]any{
		"id": r.ID.Short(), "actor": r.Requested.Actor.Label(), "approvers": approvers,
		"started": r.At.UTC().Format(time.RFC3339),
	}
}

// namedResults are the results of the tasks that have a name, before and after they ran, as the task
// at that path sees them: in a wave, a task of another wave is not the one that is meant.
func namedResults(r *Run, b *playbooks.Playbook, at Path) map[string]map[string]any {
	out := make(map[string]map[string]any)
	for _, list := range []string{"pre_book", "tasks", "on_success", "on_fail", "post_book", "always", "pre_task", "post_task"} {
		pendingResults(b.List(list), out)
	}
	for _, p := range r.Order {
		if s := r.Steps[p]; s.As != "" && !otherWave(p, at) {
			out[s.As] = s.items()
		}
	}
	return out
}

// otherWave reports whether two tasks belong to different waves of one rolling task.
func otherWave(a, b Path) bool {
	owner, n, ok := a.InWave()
	owner2, n2, ok2 := b.InWave()
	return ok && ok2 && owner == owner2 && n != n2
}

func pendingResults(tasks []playbooks.Task, out map[string]map[string]any) {
	for i := range tasks {
		t := &tasks[i]
		if t.As != "" {
			out[t.As] = (&Step{Type: t.Type, Status: TaskPending}).items()
		}
		if t.Rolling != nil {
			pendingResults(t.Rolling.Tasks, out)
		}
	}
}

// result is what templates see of a task; nil when there was none.
func (r *Run) result(p Path) map[string]any {
	s := r.Steps[p]
	if s == nil {
		return nil
	}
	return s.items()
}

// items is a task as templates and expressions see it.
func (s *Step) items() map[string]any {
	m := map[string]any{
		"path": string(s.Path), "type": s.Type, "description": s.Description, "status": string(s.Status),
		"ran": false, "success": false, "message": s.Message, "msg": s.Message, "data": []any{}, "runtime": 0.0,
		"ok_nodes": []any{}, "failed_nodes": []any{}, "silent_nodes": []any{}, "unasked_nodes": []any{},
	}
	a := s.Last()
	if a == nil {
		return m
	}
	m["ran"] = true
	m["success"] = s.Status == TaskOK || s.Status == TaskTolerated
	if r := s.Result; r != nil { // of a rolling task, whose attempt only planned
		m["message"], m["msg"], m["data"] = r.Message, r.Message, []any{}
		m["ok_nodes"], m["failed_nodes"] = anyList(r.OKNodes), anyList(r.FailedNodes)
		m["runtime"] = float64(s.Ended.Sub(a.At).Round(10*time.Millisecond)) / float64(time.Second)
	} else if o := a.Outcome; o != nil {
		m["success"] = m["success"] == true || o.OK && s.Ended.IsZero()
		m["message"], m["msg"] = o.Result.Message, o.Result.Message
		m["runtime"] = float64(o.Runtime.Round(10*time.Millisecond)) / float64(time.Second)
		if o.Result.Data != nil {
			m["data"] = o.Result.Data
		}
		m["ok_nodes"], m["failed_nodes"] = anyList(o.Result.OKNodes), anyList(o.Result.FailedNodes)
		m["silent_nodes"], m["unasked_nodes"] = anyList(o.Result.SilentNodes), anyList(o.Result.UnaskedNodes)
	}
	return m
}

func anyList(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}

// splitStore splits "store/key"; the key may contain slashes.
func splitStore(ref string) (store, key string, err error) {
	store, key, ok := strings.Cut(ref, "/")
	if !ok || store == "" || key == "" {
		return "", "", Errorf(CodeInvalid, "%q is not a store path; write store/key", ref)
	}
	return store, key, nil
}
