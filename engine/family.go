package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// retryChild is the pause before a child that could not be stopped is told so once more.
const retryChild = time.Second

// families says which children of a run have not ended. A parent waits for them: they work under its
// locks, and on nodes that are reserved for it. Safe for concurrent use.
type families struct {
	mu    sync.Mutex // guards what follows
	below map[RunID][]openChild
}

type openChild struct {
	id  RunID
	key string // of its request: the attempt that started it, or joins it, has it too
}

func newFamilies() *families { return &families{below: make(map[RunID][]openChild)} }

// add notes a run that has not ended; nothing when nobody's task started it.
func (f *families) add(id RunID, request RunRequested) {
	if request.Parent == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := openChild{id: id, key: request.Key}
	if above := request.Parent.Run; !slices.Contains(f.below[above], c) {
		f.below[above] = append(f.below[above], c)
	}
}

// end notes that a child has ended.
func (f *families) end(id RunID, parent *Parent) {
	if parent == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	left := slices.DeleteFunc(f.below[parent.Run], func(c openChild) bool { return c.id == id })
	if f.below[parent.Run] = left; len(left) == 0 {
		delete(f.below, parent.Run)
	}
}

func (f *families) children(of RunID) []openChild {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.below[of])
}

// childKey is the key of the run that an attempt starts, and of which there is one for all its repeats.
func childKey(attempt string) string { return attempt + "/child" }

// goesOn reports whether an action goes on with the run; the others wait, or look after what is open.
func (a action) goesOn() bool {
	switch a.do {
	case doNothing, doWait, doExpire, doRemind, doVoid, doUnknown, doSecrets, doRelock, doPrepare, doEndChildren, doHold, doLinger:
		return false
	case doBegin, doAsk, doAttempt, doWave, doEndTask, doLock, doUnlock, doRelease, doEnd:
	}
	return true
}

// leavesChildren reports whether an action would go on beside a child that has not ended. That
// happens after a crash only: an attempt returns after its child. What waits, or joins the child, does not.
func (r *runner) leavesChildren(a action) bool {
	if !a.goesOn() {
		return false
	}
	children := r.engine.families.children(r.id)
	if a.do != doAttempt {
		return len(children) > 0
	}
	joined := childKey(idempotencyKey(r.id, a.path, r.run.Steps[a.path].series()))
	return slices.ContainsFunc(children, func(c openChild) bool { return c.key != joined })
}

// endChildren stops the children that an earlier process has left under way, and waits for their end, as
// long as it takes. It gives up only when ctx ends.
func (p *performer) endChildren(ctx context.Context) {
	for _, c := range p.engine.families.children(p.run.ID) {
		for _, err := p.endChild(ctx, c.id, errGoesOn); !errors.Is(err, errGoesOn); _, err = p.endChild(ctx, c.id, errGoesOn) {
			if errors.Is(err, errStopping) {
				return
			}
			p.engine.logger.WarnContext(ctx, "child run cannot be stopped", "run", p.run.ID, "child", c.id, "error", err)
			select {
			case <-time.After(retryChild):
			case <-ctx.Done():
				return
			}
		}
		p.engine.families.end(c.id, &Parent{Run: p.run.ID})
	}
}

var errGoesOn = errors.New("that run goes on without it")
