package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Subject is a person, in ids.
type Subject struct {
	Team, User string
}

// Question is what the policy is asked, with the facts that are known.
type Question struct {
	Who      Subject
	In       []string            // user groups that they are in
	Unsure   []string            // user groups of which nobody can say who is in them
	Since    map[string][]string // user groups as they were when an approval was asked for; nil: that does not matter
	Verb     Verb
	Playbook string
	Inputs   map[string]any // nil: not known, and no rule about them refuses
	Partial  bool           // Inputs are not all of them: rules about others do not refuse
	Place    Place
	Nodes    int // that are touched; 0: none, or not known yet
	Active   int // runs of theirs that are under way
}

// Place is where something is said.
type Place struct {
	Channel string // an id, [Direct] or [Terminal]; empty: not known, and no rule about places refuses
	Shared  bool   // with another company
	Unsure  bool   // nobody can say whether it is shared
}

// Decision is an answer together with the rule it rests on.
type Decision struct {
	Allowed bool
	Rule    string // a sentence: the role that allows it, or what is in the way and what to do
	Role    string // the role that allows it; empty when none does
	By      string // the role whose rule decided, also against it; empty when there is none
	Bounds  string // within which the role allows it, as far as they do not follow from the question
}

// Decide says whether who may do verb with the playbook, within whatever bounds.
func (p *Policy) Decide(who Subject, verb Verb, playbook string) Decision {
	return p.Ask(Question{Who: who, Verb: verb, Playbook: playbook})
}

// Ask answers a question. Something is allowed when one role allows all of it; of a refusal, Rule is about
// the role that came nearest.
func (p *Policy) Ask(q Question) Decision { return p.ask(q, nil) }

// ask counts only the roles in from; all when there are none.
func (p *Policy) ask(q Question, from []string) Decision {
	if n := p.rules.MaxRuns; n > 0 && q.Verb == Run && q.Active >= n {
		return Decision{Rule: fmt.Sprintf("%s of yours are under way, and the policy lets nobody have more (max_runs); wait for one to end, or cancel one", count(q.Active, "run"))}
	}
	nearest := miss{why: "you have no role here; ask an administrator to add you to one in the configuration"}
	var mine []string
	for _, role := range p.roles {
		m := p.against(role, q, from)
		if m.stage == stageNone {
			return Decision{
				Allowed: true, Rule: fmt.Sprintf("role %s may %s %s%s", role.Name, q.Verb, q.Playbook, role.at()),
				Role: role.Name, By: role.Name, Bounds: role.Bounds(),
			}
		}
		if m.stage > stageMember {
			mine = append(mine, role.Name)
		}
		if m.stage > nearest.stage {
			nearest = m
		}
	}
	if nearest.stage == stageVerb {
		nearest = miss{why: fmt.Sprintf("none of your roles may %s %s (%s); ask an administrator to let one of them, or to add you to another", q.Verb, q.Playbook, strings.Join(mine, ", "))}
	}
	return Decision{Rule: nearest.why, By: nearest.role}
}

// stage is how far a role came before it refused: the later, the nearer.
type stage int

const (
	stageMember stage = iota // whoever asks is not a member
	stageVerb                // not this, or not with this playbook
	stageUnsure              // nobody can say whether they are a member
	stageShared
	stagePlace
	stageInput
	stageNodes
	stageRuns
	stageNone // it allows it
)

// miss is why a role does not allow something.
type miss struct {
	stage stage
	role  string
	why   string
}

// against holds a question against a role.
func (p *Policy) against(r Role, q Question, from []string) miss {
	is, doubt := r.member(q)
	covers := r.grants(q.Verb) && matchAny(r.Playbooks, q.Playbook) && listed(r.Name, from)
	refuse := func(s stage, format string, args ...any) miss {
		return miss{s, r.Name, fmt.Sprintf(format, args...)}
	}
	lets := fmt.Sprintf("role %s%s lets you %s %s", r.Name, r.at(), q.Verb, q.Playbook)
	switch {
	case !is && (doubt == "" || !covers):
		return miss{stage: stageMember}
	case !is:
		return refuse(stageUnsure, "%s", doubt)
	case !covers:
		return miss{stage: stageVerb}
	case !p.here(r, q.Place):
		return refuse(stageShared, "%s", sharedWhy(r, q.Place))
	case q.Verb == View:
		return miss{stage: stageNone}
	case q.Place.Channel != "" && len(r.Channels) > 0 && !slices.Contains(r.Channels, q.Place.Channel):
		return refuse(stagePlace, "%s only in %s, and you are in %s; say it there", lets, places(r.Channels), placeName(q.Place.Channel))
	}
	if why := r.inputs(q); why != "" {
		return refuse(stageInput, "%s %s", lets, why)
	}
	if r.MaxNodes > 0 && q.Nodes > r.MaxNodes && (q.Verb == Run || q.Verb == Approve) {
		return refuse(stageNodes, "%s on at most %s, and this is about %d; ask for fewer, or ask somebody whose role lets them do more", lets, count(r.MaxNodes, "node"), q.Nodes)
	}
	if r.MaxRuns > 0 && q.Active >= r.MaxRuns && q.Verb == Run {
		return refuse(stageRuns, "%s with at most %s under way, and %d of yours are; wait for one to end, or cancel one", lets, count(r.MaxRuns, "run"), q.Active)
	}
	return miss{stage: stageNone}
}

// member says whether whoever asks has a role; doubt is why that cannot be said, or does not count.
func (r Role) member(q Question) (is bool, doubt string) {
	if r.lists(q.Who) {
		return true, ""
	}
	for _, g := range r.Groups {
		then, asked := q.Since[g]
		switch {
		case slices.Contains(q.Unsure, g):
			doubt = fmt.Sprintf("role %s%s is for the user group %s, and Slack could not say who is in it; try again in a minute, or have people named by id", r.Name, r.at(), g)
		case !slices.Contains(q.In, g):
		case q.Since != nil && asked && !slices.Contains(then, q.Who.User), q.Since != nil && !asked:
			doubt = fmt.Sprintf("role %s%s is for the user group %s, and you were not in it when this was asked; somebody has to answer who was", r.Name, r.at(), g)
		default:
			return true, ""
		}
	}
	return false, doubt
}

// inputs says which input is outside of the bounds of a role; empty when none is.
func (r Role) inputs(q Question) string {
	if q.Inputs == nil {
		return ""
	}
	for _, name := range sortedKeys(r.Inputs) {
		value, given := q.Inputs[name]
		allowed := r.Inputs[name]
		switch {
		case !given && q.Partial:
		case !given:
			return fmt.Sprintf("only with %s %s, and nothing says what %s is; ask somebody whose role does not look at it", name, allowed, name)
		case !allowed.Allow(value):
			return fmt.Sprintf("only with %s %s, and it is %s; %sask somebody whose role allows it", name, allowed, shortValue(value),
				map[bool]string{true: "give another, or "}[q.Verb == Run || q.Verb == Plan])
		}
	}
	return ""
}

// here reports whether a role counts in a place: in a channel that is shared, or may be, only when it names it.
func (p *Policy) here(r Role, place Place) bool {
	return p.rules.AnyChannel || !place.Shared && !place.Unsure || slices.Contains(r.Channels, place.Channel)
}

func sharedWhy(r Role, place Place) string {
	what := "this channel is shared with another company"
	if place.Unsure {
		what = "Slack could not say whether this channel is shared with another company; invite the bot to it, or try again"
	}
	return fmt.Sprintf("%s, and role %s%s does not name it in its channels; say it in another channel, or in a direct message", what, r.Name, r.at())
}

// Present says whether any role of somebody counts where they stand. It refuses nobody who has no role: they
// are told at what they ask for.
func (p *Policy) Present(q Question) Decision {
	out := Decision{Allowed: true}
	for _, role := range p.roles {
		if is, _ := role.member(q); !is {
			continue
		}
		if p.here(role, q.Place) {
			return Decision{Allowed: true}
		}
		out = Decision{Rule: sharedWhy(role, q.Place), By: role.Name}
	}
	return out
}

// Roles lists the names of the roles that somebody has by their id.
func (p *Policy) Roles(who Subject) []string { return p.RolesOf(Question{Who: who}) }

// RolesOf lists the names of the roles that somebody has by their id and their user groups.
func (p *Policy) RolesOf(q Question) []string {
	var out []string
	for _, role := range p.roles {
		if is, _ := role.member(q); is {
			out = append(out, role.Name)
		}
	}
	return out
}

// Role is a role by its name; the zero Role when there is none.
func (p *Policy) Role(name string) Role {
	if i := slices.IndexFunc(p.roles, func(r Role) bool { return r.Name == name }); i >= 0 {
		return p.roles[i]
	}
	return Role{}
}

// BoundsNodes reports whether any role bounds how many nodes a run may touch.
func (p *Policy) BoundsNodes() bool {
	return slices.ContainsFunc(p.roles, func(r Role) bool { return r.MaxNodes > 0 })
}

// Groups lists the user groups that the roles name, each once.
func (p *Policy) Groups() []string {
	var out []string
	for _, role := range p.roles {
		out = append(out, role.Groups...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shortValue is a value in a sentence.
func shortValue(v any) string {
	const most = 60
	text := []rune(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(strings.Fields(fmt.Sprint(v)), " ")))
	if len(text) == 0 {
		return "empty"
	}
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// VerbsOf lists the verbs that some roles grant, on whichever playbooks.
func (p *Policy) VerbsOf(roles []string) []Verb {
	return slices.DeleteFunc(Verbs(), func(v Verb) bool {
		return !slices.ContainsFunc(p.roles, func(r Role) bool { return slices.Contains(roles, r.Name) && r.grants(v) })
	})
}
