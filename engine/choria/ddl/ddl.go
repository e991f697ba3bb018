// Package ddl reads the descriptions of Choria's agents, the DDLs in JSON: which actions an agent has,
// what each is given and answers, and how the answers of many nodes are summed up. With one, a request
// that no node would accept is refused before it is sent. Nothing here touches the network.
package ddl

import (
	"crypto/sha256"
	"maps"
	"slices"
	"time"
)

// DDL describes an agent in one version. It never changes once it is parsed and may be shared.
type DDL struct {
	Agent       string
	Version     string
	Description string
	Timeout     time.Duration // what an action of the agent may take on a node
	Actions     map[string]*Action
	File        string   // where it was read; as it was handed to [Parse]
	Warnings    []string // what is left unchecked or unused, each with its place

	digest [sha256.Size]byte // of the JSON without its blanks
}

// defaultTimeout is Choria's for a DDL that states none (go-choria, agent.DDL.Timeout).
const defaultTimeout = 10 * time.Second

// ActionNames lists the actions, sorted.
func (d *DDL) ActionNames() []string { return slices.Sorted(maps.Keys(d.Actions)) }

// Action is one thing that an agent does.
type Action struct {
	Agent, Name string
	Description string
	Inputs      map[string]*Input
	Outputs     map[string]Output

	aggregates []aggregate
}

// InputNames lists the inputs, sorted.
func (a *Action) InputNames() []string { return slices.Sorted(maps.Keys(a.Inputs)) }

// Title is how people call an output: its display name, else its own.
func (a *Action) Title(output string) string {
	if o := a.Outputs[output]; o.DisplayAs != "" {
		return o.DisplayAs
	}
	return output
}

// Input is one value that an action is given.
type Input struct {
	Name        string
	Description string
	Type        Type
	Optional    bool
	Default     any      // of the input's type; nil when there is none
	MaxLength   int      // of a string, in bytes; 0 is without limit
	Choices     []string // of a list

	validation *validation // of a string; nil when every text is good
}

// Output is one value that an action answers.
type Output struct {
	Description string
	DisplayAs   string
}

// Type is the type of an input, in the words of the DDL.
type Type string

// The types. A DDL may write them in capitals, int for integer, and nothing for any.
const (
	String  Type = "string"
	List    Type = "list" // one of some texts
	Boolean Type = "boolean"
	Integer Type = "integer"
	Float   Type = "float"
	Number  Type = "number" // integer or float
	Array   Type = "array"
	Hash    Type = "hash"
	Any     Type = "any"
)

func types() []string {
	var out []string
	for _, t := range []Type{String, List, Boolean, Integer, Float, Number, Array, Hash, Any} {
		out = append(out, string(t))
	}
	return out
}
