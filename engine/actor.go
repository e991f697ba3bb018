package engine

// Actor is a person (or a schedule) as the door they came through knows them. Identity is the
// pair of Team and User; Name is for display and never compared.
type Actor struct {
	Team    string `json:"team,omitempty"`
	User    string `json:"user"`
	Name    string `json:"name,omitempty"`
	Channel string `json:"channel,omitempty"` // where they stood when they asked
}

// Is reports whether two actors are the same person.
func (a Actor) Is(b Actor) bool { return a.Team == b.Team && a.User == b.User }

// Label is how the actor is named in sentences.
func (a Actor) Label() string {
	if a.Name != "" {
		return a.Name
	}
	return a.User
}

// Origin says which door a request came through.
type Origin string

// The doors.
const (
	OriginTyped    Origin = "typed"
	OriginButton   Origin = "button"
	OriginForm     Origin = "form"
	OriginSchedule Origin = "schedule"
	OriginTerminal Origin = "terminal"
	OriginPlaybook Origin = "playbook" // started by a playbook task of another run
)
