package lint

import "github.com/playbot/playbot/playbooks"

func forgivenCanary() Rule {
	return Rule{
		ID: "forgiven-canary", Severity: Warning,
		Reason: "A small first wave is there to stop the rest, and max_failures allows all of it to fail.",
		Remedy: "put the first nodes into a task of their own before the waves, make the first wave larger than max_failures, or lower that",
		find: func(b *book) {
			for _, t := range b.tasks {
				if t.Rolling != nil && forgiven(t.Rolling) {
					b.report(t.Rolling.MaxFailures.Pos(), "", "the whole first wave may fail, and the waves go on")
				}
			}
		},
	}
}

// forgiven reports whether a first wave that is smaller than those after it may fail as a whole, as far
// as that can be told without knowing how many nodes there are.
func forgiven(r *playbooks.Rolling) bool {
	if len(r.Waves) < 2 || r.MaxFailures.IsZero() {
		return false
	}
	first, ok := share(r.Waves[0])
	most, ok2 := share(r.MaxFailures)
	return ok && ok2 && first.Percent == most.Percent && first.Number <= most.Number
}

func share(v playbooks.Value) (playbooks.Share, bool) {
	data, ok := v.Literal()
	if !ok {
		return playbooks.Share{}, false
	}
	s, err := playbooks.ParseShare(data)
	return s, err == nil
}
