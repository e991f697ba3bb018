package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// lockTimeout is how long a lock is waited for, as in 2017, unless its store says otherwise.
const lockTimeout = 120 * time.Second

// prepare does what comes before the first task, in the order of 2017: stores and inputs, locks,
// node sets, then what the nodes themselves say.
func (p *performer) prepare(ctx context.Context) []Payload {
	pad := &notebook{}
	nodes, err := p.preparation(ctx, pad)
	if errors.Is(err, errStopping) {
		return nil
	}
	if err != nil {
		return []Payload{PrepareFailed{
			Message: p.engine.redact.text(err.Error()), Notes: p.engine.redact.lines(pad.lines()),
		}}
	}
	return []Payload{Prepared{
		Inputs: p.run.Requested.Inputs, Nodes: nodes, Notes: p.engine.redact.lines(pad.lines()),
	}}
}

func (p *performer) preparation(ctx context.Context, pad *notebook) (map[string][]string, error) {
	if err := p.engine.vouch(ctx, p.run.Requested.Actor); err != nil {
		return nil, Errorf(CodeDenied, "refused: %v", err)
	}
	if err := p.saveInputs(ctx); err != nil {
		return nil, err
	}
	if err := p.lock(ctx, pad); err != nil {
		return nil, err
	}
	nodes, err := p.discoverAll(ctx)
	if err != nil {
		return nil, err
	}
	for _, set := range p.book.NodeSets {
		pad.add(fmt.Sprintf("node set %s: %d nodes", set.Name, len(nodes[set.Name])))
	}
	if err := p.testNodes(ctx, nodes, pad); err != nil {
		return nil, err
	}
	return nodes, p.checkUses(ctx, nodes, pad)
}

// saveInputs writes the inputs that are to be remembered to their stores.
func (p *performer) saveInputs(ctx context.Context) error {
	for _, in := range p.book.Inputs {
		v, given := p.run.Requested.Inputs[in.Name]
		if !in.Save || !given {
			continue
		}
		store, key, err := splitStore(in.Data)
		if err != nil {
			return err
		}
		st, err := p.session.store(ctx, store, p.scope())
		if err != nil {
			return err
		}
		if err := st.Put(ctx, key, v); err != nil {
			return fmt.Errorf("save input %q to %s: %w", in.Name, in.Data, err)
		}
	}
	return nil
}

// lockNames renders the lock list, without those an ancestor holds, sorted so that two runs never wait for each other.
func (p *performer) lockNames(ctx context.Context) ([]string, error) {
	var names []string
	for _, l := range p.book.Locks {
		v, err := l.Render(ctx, p.scope())
		if err != nil {
			return nil, fmt.Errorf("locks: %w", err)
		}
		name := fmt.Sprint(v)
		if !strings.Contains(name, "/") { // 2017's default path
			name += "/choria/locks/playbook/" + p.book.Name
		}
		held := p.run.Requested.Parent != nil && slices.Contains(p.run.Requested.Parent.Locks, name)
		if !held && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

// lock takes the locks of the playbook. The intent is on disk first, so that a crash in between releases them later.
func (p *performer) lock(ctx context.Context, pad *notebook) error {
	names, err := p.lockNames(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	if err := p.record(LocksRequested{Locks: names}); err != nil {
		return err
	}
	for _, name := range names {
		var known RunID
		err := p.lockOne(ctx, name, func(h Holder) {
			if h.Run != known { // people see whom the run waits for, once for each holder
				known = h.Run
				pad.add(fmt.Sprintf("lock %s is held by %s (%s) since %s", name, h.Run.Short(), h.Who, h.Since.UTC().Format(time.RFC3339)))
				_ = p.record(LockAwaited{Lock: name, Holder: h}) // a disk that refuses is logged, and stops the run at LocksTaken
			}
		})
		if err != nil {
			return err
		}
	}
	p.session.keepLocks()
	return p.record(LocksTaken{Locks: names})
}

// lockOne waits for a lock, at most as long as its store says, and not beyond the moment in which the
// engine begins to stop: the next process goes on waiting.
func (p *performer) lockOne(ctx context.Context, name string, waiting func(Holder)) error {
	locker, key, err := p.locker(ctx, name)
	if err != nil {
		return err
	}
	limit := lockTimeout
	if t, ok := locker.(interface{ LockTimeout() time.Duration }); ok && t.LockTimeout() > 0 {
		limit = t.LockTimeout()
	}
	stopCtx, end := p.engine.untilStop(ctx)
	defer end()
	lockCtx, cancel := context.WithTimeout(stopCtx, limit)
	defer cancel()
	_, err = locker.Lock(lockCtx, key, p.holder(), waiting)
	if err != nil && errors.Is(context.Cause(lockCtx), errStopping) {
		return errStopping
	}
	if held, ok := errors.AsType[*HeldError](err); ok {
		return Errorf(CodeBusy, "lock %s is held by %s (%s) since %s; waited %s. Try again when that run has ended",
			name, held.Holder.Run.Short(), held.Holder.Who, held.Holder.Since.UTC().Format(time.RFC3339), limit)
	}
	if err != nil {
		return fmt.Errorf("take lock %s: %w", name, err)
	}
	return nil
}

func (p *performer) holder() Holder {
	return Holder{Run: p.run.ID, Who: p.run.Requested.Actor.Label(), Since: time.Now()}
}

func (p *performer) locker(ctx context.Context, name string) (Locker, string, error) {
	store, key, err := splitStore(name)
	if err != nil {
		return nil, "", err
	}
	st, err := p.session.store(ctx, store, p.scope())
	if err != nil {
		return nil, "", err
	}
	locker, ok := st.(Locker)
	if !ok {
		return nil, "", Errorf(CodeInvalid, "data store %q cannot lock; use a memory or file store for locks", store)
	}
	return locker, key, nil
}

// release gives every lock back. What goes wrong is told, and does not keep the run from ending.
func (p *performer) release(ctx context.Context) Payload {
	var problems []string
	for _, name := range p.run.Locks {
		locker, key, err := p.locker(ctx, name)
		if err == nil {
			err = locker.Unlock(ctx, key, p.holder())
		}
		if err != nil {
			problems = append(problems, p.engine.redact.text(fmt.Sprintf("release lock %s: %v", name, err)))
		}
	}
	return LocksReleased{Problems: problems}
}

// testNodes asks each node of the sets with `test` once whether it is there.
func (p *performer) testNodes(ctx context.Context, nodes map[string][]string, pad *notebook) error {
	var ask []string
	for _, set := range p.book.NodeSets {
		if set.Test {
			ask = append(ask, nodes[set.Name]...)
		}
	}
	ask = unique(ask)
	if len(ask) == 0 {
		return nil
	}
	if p.engine.opts.Fleet == nil {
		return Errorf(CodeInvalid, "node sets with test: true need a Choria network; set nats in the configuration")
	}
	silent, err := p.engine.opts.Fleet.Ping(ctx, ask)
	if err != nil {
		return fmt.Errorf("connectivity test: %w", err)
	}
	if len(silent) > 0 {
		return Errorf(CodeFailed, "connectivity test: %d of %d nodes did not answer: %s", len(silent), len(ask), few(silent))
	}
	pad.add(fmt.Sprintf("connectivity test: all %d nodes answered", len(ask)))
	return nil
}

// few names at most ten of a list.
func few(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
