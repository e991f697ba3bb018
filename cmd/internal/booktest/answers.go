package booktest

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/playbot/playbot/playbooks"
)

// times says at which calls a declaration answers, counted from one. The zero value is all of them.
type times struct{ first, last int }

func (t times) hold(n int) bool { return t == times{} || n >= t.first && n <= t.last }

// times reads 2, "2-4" or "2+".
func (v value) times(what string) times {
	if !v.there() {
		return times{}
	}
	text := v.text(what, "")
	first, last, ranged := strings.Cut(text, "-")
	if from, open := strings.CutSuffix(text, "+"); open {
		first, last, ranged = from, strconv.Itoa(math.MaxInt), true
	}
	if !ranged {
		last = first
	}
	from, err := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if err != nil || err2 != nil || from < 1 || to < from {
		v.problem(`write the number of the call, "2-4" or "3+"`, "%s cannot be %s", what, v.describe())
		return times{}
	}
	return times{from, to}
}

// reply is how nodes answer an action.
type reply struct {
	pos        playbooks.Pos
	own        bool     // declared by the case itself
	action     string   // a glob: puppet.*
	nodes      []string // globs; nil: every node
	call       times    // of this action on one node
	statuscode int
	statusmsg  string
	data       map[string]any
	silent     bool
	takes      time.Duration
}

func readReplies(v value) []reply {
	var out []reply
	for _, item := range v.items() {
		r := reply{pos: item.pos()}
		if !item.isMapping() {
			r.action = item.text("a reply", "")
		} else {
			m := item.object("a reply", "action", "nodes", "call", "statuscode", "statusmsg", "data", "silent", "takes")
			r.action, r.nodes = m["action"].text("action", ""), m["nodes"].names("nodes")
			r.call, r.data, r.silent = m["call"].times("call"), m["data"].mapping("data"), m["silent"].yes("silent")
			r.statuscode, r.takes = m["statuscode"].whole("statuscode", 0), m["takes"].duration("takes", 0)
			if m["statusmsg"].there() && !m["statuscode"].there() {
				r.statuscode = 1 // a message without a code is a failure: OK needs none
			}
			r.statusmsg = m["statusmsg"].text("statusmsg", "")
		}
		if agent, action, ok := strings.Cut(r.action, "."); !ok || agent == "" || action == "" {
			item.problem("write agent.action, such as puppet.disable", "%q names no action of an agent", r.action)
		}
		out = append(out, r)
	}
	return out
}

func (r reply) fits(action, node string, n int) bool {
	return matchAny([]string{r.action}, action) && (r.nodes == nil || matchAny(r.nodes, node)) && r.call.hold(n)
}

// answer is what happens outside when a playbook acts there.
type answer struct {
	pos    playbooks.Pos
	own    bool    // declared by the case itself
	match  pattern // of the command, request, message, or the description of another task
	typ    string  // of another task: its type
	call   times
	takes  time.Duration
	fail   string // what went wrong; empty: nothing
	exit   int
	output string
	status int
	data   any
}

// sections are the keys under which answers are declared, each for one way to act outside.
func sections() []string { return []string{"commands", "requests", "messages", "children", "tasks"} }

// answerKeys are the keys of an answer in a section; the first names what is answered.
func answerKeys(section string) []string {
	return map[string][]string{
		"commands": {"command", "call", "exit", "output", "takes"},
		"requests": {"request", "call", "status", "body", "fail", "takes"},
		"messages": {"message", "call", "fail", "takes"},
		"children": {"playbook", "call", "fail", "takes"},
		"tasks":    {"task", "description", "call", "fail", "output", "data", "takes"},
	}[section]
}

func readAnswers(section string, v value) []answer {
	keys := answerKeys(section)
	var out []answer
	for _, item := range v.items() {
		a := answer{pos: item.pos()}
		if item.isMapping() {
			a.read(item, section, item.object("an answer under "+section, keys...))
		} else if section == "tasks" {
			a.typ = item.text("a task", "")
		} else {
			a.match = item.pattern("an answer under " + section)
		}
		if a.typ == "" && a.match.text == "" {
			item.problem("add "+keys[0]+": …", "an answer under %s does not say what it answers", section)
		}
		if section == "requests" && a.status == 0 {
			a.status = 200
		}
		out = append(out, a)
	}
	return out
}

func (a *answer) read(item value, section string, m map[string]value) {
	a.match = m[answerKeys(section)[0]].pattern(answerKeys(section)[0])
	if section == "tasks" {
		a.typ, a.match = m["task"].text("task", ""), m["description"].pattern("description")
	}
	a.call, a.takes, a.fail = m["call"].times("call"), m["takes"].duration("takes", 0), m["fail"].text("fail", "")
	a.exit, a.status = m["exit"].whole("exit", 0), m["status"].whole("status", 0)
	a.output, a.data = m["output"].text("output", ""), m["data"].data()
	if section == "requests" {
		a.output = m["body"].text("body", "")
	}
	if m["status"].there() && (a.status < 100 || a.status > 599) {
		item.problem("write a status of HTTP, such as 503", "status cannot be %d", a.status)
	}
}
