package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// lockTimeout is how long a lock is waited for, as in 2017, unless its store says otherwise.
const lockTimeout = 120 * time.Second

// lockNames renders the lock list, without those an ancestor holds, sorted so that two runs never wait for each other.
func (p *performer) lockNames(ctx context.Context) ([]string, error) {
	return p.renderLocks(ctx, p.book.Locks, p.ancestorLocks())
}

func (p *performer) ancestorLocks() []string {
	if p.run.Requested.Parent == nil {
		return nil
	}
	return p.run.Requested.Parent.Locks
}

// taskLocks renders the locks of a task, without those that the run holds, or the task around it: a
// rolling task, or that of a hook.
func (p *performer) taskLocks(ctx context.Context, path Path, t *playbooks.Task) ([]string, error) {
	held := slices.Concat(p.ancestorLocks(), p.run.Locks)
	around, _, ok := path.InWave()
	if !ok {
		around, ok = path.owner()
	}
	if s := p.run.Steps[around]; ok && s != nil && s.LockState == LocksHeld { // not yet before a pre_task hook
		held = append(held, s.Locks...)
	}
	return p.renderLocks(ctx, t.Locks, held)
}

func (p *performer) renderLocks(ctx context.Context, locks []playbooks.Value, held []string) ([]string, error) {
	var names []string
	for _, l := range locks {
		v, err := l.Render(ctx, p.scope())
		if err != nil {
			return nil, fmt.Errorf("locks: %w", err)
		}
		name := fmt.Sprint(v)
		if !strings.Contains(name, "/") { // 2017's default path
			name += "/choria/locks/playbook/" + p.book.Name
		}
		if p.redact().hides(name) {
			return nil, Errorf(CodeInvalid, "the name of a lock would hold a secret, and names of locks are shown; leave the secret out of locks")
		}
		if !slices.Contains(held, name) && !slices.Contains(names, name) {
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
	if err := p.lockAll(ctx, names, pad); err != nil {
		return err
	}
	return p.record(LocksTaken{Locks: names})
}

// lockAll takes locks one after the other, and tells whom it waits for, once for each holder.
func (p *performer) lockAll(ctx context.Context, names []string, pad *notebook) error {
	for _, name := range names {
		var known RunID
		err := p.lockOne(ctx, name, func(h Holder) {
			if h.Run != known {
				known = h.Run
				pad.add(fmt.Sprintf("lock %s is held by %s (%s) since %s", name, h.Run.Short(), h.Who, h.Since.UTC().Format(time.RFC3339)))
				_ = p.record(LockAwaited{Lock: name, Holder: h}) // a disk that refuses is logged, and stops the run at the next record
			}
		})
		if err != nil {
			return err
		}
	}
	p.session.keepLocks()
	return nil
}

// lockTask takes the locks of a task before its attempt. To take them again after a restart succeeds at once.
func (p *performer) lockTask(ctx context.Context, a action) []Payload {
	names := p.run.Steps[a.path].Locks
	if err := p.record(TaskLocksRequested{Path: a.path, Locks: names}); err != nil {
		return nil // nothing was begun; the log has the error
	}
	if !a.limit.at.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, a.limit.at, Errorf(CodeTimeout, "timed out: %s", a.limit.why))
		defer cancel()
	}
	pad := &notebook{}
	err := p.lockAll(ctx, names, pad)
	switch {
	case errors.Is(err, errStopping), errors.Is(context.Cause(ctx), errCancelled): // a cancelled run begins nothing
		return nil
	case err != nil:
		return p.failAttempt(a.path, err.Error())
	}
	return []Payload{TaskLocksTaken{Path: a.path}}
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
	began := time.Now()
	_, err = locker.Lock(lockCtx, key, p.holder(), waiting)
	if err != nil && errors.Is(context.Cause(lockCtx), errStopping) {
		return errStopping
	}
	if held, ok := errors.AsType[*HeldError](err); ok {
		return Errorf(CodeBusy, "lock %s is held by %s (%s) since %s; waited %s. Try again when that run has ended",
			name, held.Holder.Run.Short(), held.Holder.Who, held.Holder.Since.UTC().Format(time.RFC3339), time.Since(began).Round(time.Second))
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
	st, err := p.store(ctx, store)
	if err != nil {
		return nil, "", err
	}
	locker, ok := st.(Locker)
	if !ok {
		return nil, "", Errorf(CodeInvalid, "data store %q cannot lock; use a memory or file store for locks", store)
	}
	return locker, key, nil
}

// release gives every lock of the run back.
func (p *performer) release(ctx context.Context) Payload {
	return LocksReleased{Problems: p.unlock(ctx, p.run.Locks)}
}

// unlock gives locks back. What goes wrong is told, and does not keep the run from ending.
func (p *performer) unlock(ctx context.Context, names []string) []string {
	var problems []string
	for _, name := range names {
		locker, key, err := p.locker(ctx, name)
		if err == nil {
			err = locker.Unlock(ctx, key, p.holder())
		}
		if err != nil {
			problems = append(problems, p.redact().text(fmt.Sprintf("release lock %s: %v", name, err)))
		}
	}
	return problems
}
