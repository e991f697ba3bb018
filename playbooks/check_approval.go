package playbooks

// Who must give a reason: see [Approval].
const (
	ReasonOnDeny = "on_deny"
	ReasonAlways = "always"
)

// How far an approval reaches: see [Approval].
const (
	ScopeStep = "step"
	ScopeRun  = "run"
)

// maxApprovers bounds how many people a gate may ask for: more than that nobody finds at night.
const maxApprovers = 10

// approval reads the approval key of a task or of the playbook. Nothing in it is a template: what a
// gate asks for must not depend on what a person typed.
func (c *checker) approval(v Value, rolling bool) Approval {
	if v.IsZero() {
		return Approval{}
	}
	p := Unrendered(v)
	a := Approval{
		Pos: v.pos, From: p.Strings("from"), Count: p.Int("count", 0), Expires: p.Duration("expires", 0),
		Reason: p.Choice("reason", "", ReasonOnDeny, ReasonAlways), Scope: p.Choice("scope", "", ScopeStep, ScopeRun),
	}
	a.EachWave, a.Escalate = p.Bool("each_wave", false), p.Strings("escalate")
	p.written("from", "count", "expires", "reason", "scope", "escalate", "each_wave")
	if p.Has("each_wave") && !rolling {
		p.Remedy("each_wave", "write it below a rolling task", "only a rolling task has waves to ask for")
	}
	if a.From != nil && len(a.From) == 0 {
		p.Remedy("from", "name roles of the policy, or leave it out", "from names no role, so nobody could approve")
	}
	if a.Escalate != nil && len(a.Escalate) == 0 {
		p.Remedy("escalate", "name roles of the policy, or leave it out", "escalate names no role, so nobody would be asked")
	}
	if p.Has("count") && !p.Deferred("count") && (a.Count < 1 || a.Count > maxApprovers) {
		p.Remedy("count", "write how many people must approve, 1 to 10", "count is %d", a.Count)
	}
	if p.Has("expires") && !p.Deferred("expires") && a.Expires <= 0 {
		p.Remedy("expires", `write how long to wait, as in "30m"`, "an approval that expires at once cannot be given")
	}
	c.take(v.pos, p.Err())
	return a
}

// written refuses templates in keys whose value must stand in the file.
func (p *Properties) written(keys ...string) {
	for _, key := range keys {
		if p.Deferred(key) {
			p.Remedy(key, "write the value", "%s cannot be a template", key)
		}
	}
}
