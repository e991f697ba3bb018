package booktest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// File is a checked case file.
type File struct {
	Path     string
	Playbook string
	Cases    []Case

	at playbooks.Pos // of the playbook's name
	r  *reader
}

// Case is one run of the playbook: what it meets, what people do, and what must come of it.
type Case struct {
	Name string

	pos    playbooks.Pos
	by     string // who asks for the run
	inputs map[string]any
	limit  time.Duration // virtual time after which the run is taken for stuck
	world  surroundings
	clicks []click
	expect expectation
}

// surroundings are what a case declares of the world outside.
type surroundings struct {
	nodes    []node
	nodeSets map[string][]string
	stores   map[string]map[string]any
	held     []heldLock
	roles    map[string][]string
	replies  []reply
	outside  map[string][]answer // by the section that declares them
}

// node is a simulated server.
type node struct {
	name    string
	facts   map[string]any
	classes []string
	agents  map[string]string // nil: every agent, in a version that fits
	silent  bool              // answers nothing at all
	joins   time.Duration     // after the start of the case
	held    *hold             // another run has it reserved
}

// bookLock begins the key of the lock that a playbook takes by naming a store alone, as the engine has it.
const bookLock = "choria/locks/playbook/"

// defaultLimit is how much virtual time a case may take.
const defaultLimit = 30 * 24 * time.Hour

// ProblemsError says why a case file does not load.
type ProblemsError struct{ List []*playbooks.Problem }

// Error lists the problems, a line each.
func (e *ProblemsError) Error() string {
	lines := make([]string, len(e.List))
	for i, p := range e.List {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Render shows every problem with its line and a caret.
func (e *ProblemsError) Render() string {
	var b strings.Builder
	for _, p := range e.List {
		b.WriteString(p.Render())
	}
	return b.String()
}

// Read reads and checks a case file. What is wrong in it is a *ProblemsError with every problem.
func Read(path string) (*File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	return Parse(path, data)
}

// Parse checks the bytes of a case file; see [Read].
func Parse(path string, data []byte) (*File, error) {
	r := &reader{file: path, lines: strings.Split(string(data), "\n")}
	f := &File{Path: path, r: r}
	if root, ok := r.root(data); ok {
		f.read(root)
	}
	if len(r.problems) == 0 {
		return f, nil
	}
	slices.SortStableFunc(r.problems, func(a, b *playbooks.Problem) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return nil, &ProblemsError{List: r.problems}
}

// worldKeys may stand at the top, for every case of the file, and in a case.
func worldKeys() []string {
	return append([]string{"by", "inputs", "nodes", "node_sets", "stores", "held", "roles", "replies", "limit"}, sections()...)
}

func (f *File) read(root value) {
	if !root.isMapping() {
		root.problem("begin with playbook: NAME", "a case file must be a mapping, not %s", root.describe())
		return
	}
	if isBook(root) {
		root.problem("test the folder that it is in, and write its cases into a file in the folder tests", "this is a playbook, and no file of cases")
		return
	}
	top := root.object("a case file", append([]string{"playbook", "cases", "macros"}, worldKeys()...)...)
	f.Playbook, f.at = top["playbook"].text("playbook", ""), top["playbook"].pos()
	if f.Playbook == "" {
		root.problem("add playbook: NAME", "the playbook is not named")
	}
	base := Case{by: "ana", limit: defaultLimit}
	base.meet(top)
	if len(top["cases"].items()) == 0 {
		root.problem("add cases:, a list of cases with a name each", "there are no cases")
	}
	named := make(map[string]bool)
	for _, v := range top["cases"].items() {
		c := base.readCase(v)
		for i := range c.world.held {
			if l := &c.world.held[i]; l.key == "" {
				l.key = bookLock + f.Playbook
			}
		}
		if named[c.Name] {
			v.problem("give each case a name of its own", "two cases are called %q", c.Name)
		}
		named[c.Name] = true
		f.Cases = append(f.Cases, c)
	}
}

// isBook recognises a playbook, which is easily given in place of its cases.
func isBook(root value) bool {
	var keys []string
	for _, e := range root.merged(0) {
		keys = append(keys, e.key)
	}
	return slices.Contains(keys, "name") && slices.Contains(keys, "version") && !slices.Contains(keys, "cases")
}

// readCase reads a case on top of what the file says for all of them.
func (c Case) readCase(v value) Case { //nolint:gocritic // the copy is the point: every case begins as the file says
	m := v.object("a case", append([]string{"name", "clicks", "expect"}, worldKeys()...)...)
	c.Name, c.pos = m["name"].text("name", ""), v.pos()
	if c.Name == "" {
		v.problem("add name: …, a sentence that says what happens", "a case has no name")
	}
	shared := c.world
	c.meet(m)
	c.world.own(shared)
	c.clicks = readClicks(m["clicks"])
	c.expect = readExpectation(m["expect"], 0)
	return c
}

// meet adds what a level of the file says; a case overrides the file.
func (c *Case) meet(m map[string]value) {
	c.by = m["by"].text("by", c.by)
	c.limit = m["limit"].duration("limit", c.limit)
	c.inputs = overlay(c.inputs, m["inputs"].mapping("inputs"))
	w := &c.world
	w.nodes = readNodes(w.nodes, m["nodes"])
	w.nodeSets = overlay(w.nodeSets, readNodeSets(m["node_sets"]))
	w.stores = readStores(w.stores, m["stores"])
	w.held = append(readHeld(m["held"]), w.held...)
	w.roles = overlay(w.roles, readRoles(m["roles"]))
	w.replies = append(readReplies(m["replies"]), w.replies...)
	outside := make(map[string][]answer, len(sections()))
	for _, s := range sections() {
		outside[s] = append(readAnswers(s, m[s]), w.outside[s]...)
	}
	w.outside = outside
}

// overlay is a copy of a map with what another one adds or replaces.
func overlay[V any](under, over map[string]V) map[string]V {
	out := make(map[string]V, len(under)+len(over))
	maps.Copy(out, under)
	maps.Copy(out, over)
	return out
}

// readNodes adds nodes, and replaces those of the same name.
func readNodes(under []node, v value) []node {
	out := slices.Clone(under)
	for _, e := range v.entries("nodes") {
		m := e.value.object("a node", "facts", "classes", "agents", "silent", "joins", "held")
		n := node{
			facts: m["facts"].mapping("facts"), classes: m["classes"].texts("classes"), silent: m["silent"].yes("silent"),
			joins: m["joins"].duration("joins", 0),
		}
		if m["held"].there() {
			h := readHold(m["held"])
			n.held = &h
		}
		if m["agents"].there() {
			n.agents = make(map[string]string)
			for _, a := range m["agents"].entries("agents") {
				n.agents[a.key] = a.value.text("the version of agent "+a.key, "")
			}
		}
		all, err := expand(e.key)
		if err != nil {
			v.r.problem(e.at, "write it as in web[1-9]", "%v", err)
		}
		for _, name := range all {
			one := n
			one.name = name
			if i := slices.IndexFunc(out, func(have node) bool { return have.name == name }); i >= 0 {
				out[i] = one
			} else {
				out = append(out, one)
			}
		}
	}
	return out
}

func readNodeSets(v value) map[string][]string {
	out := make(map[string][]string)
	for _, e := range v.entries("node_sets") {
		out[e.key] = e.value.names("node_sets")
	}
	return out
}

func readRoles(v value) map[string][]string {
	out := make(map[string][]string)
	for _, e := range v.entries("roles") {
		out[e.key] = e.value.texts("roles")
	}
	return out
}

// readStores adds values to data stores.
func readStores(under map[string]map[string]any, v value) map[string]map[string]any {
	out := overlay(under, nil)
	for _, e := range v.entries("stores") {
		out[e.key] = overlay(out[e.key], e.value.mapping("a data store"))
	}
	return out
}
