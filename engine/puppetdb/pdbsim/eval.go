package pdbsim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// run answers a query.
func run(src string, nodes []Node) ([]map[string]any, error) {
	q, everyState, err := parse(src)
	if err != nil {
		return nil, err
	}
	rows := []map[string]any{}
	for _, n := range nodes {
		if n.Deactivated && !everyState {
			continue
		}
		for _, r := range rowsOf(q.entity, n) {
			if q.where(r) {
				rows = append(rows, project(q, r))
			}
		}
	}
	if q.sorted {
		slices.SortStableFunc(rows, func(a, b map[string]any) int {
			return strings.Compare(fmt.Sprint(a["certname"]), fmt.Sprint(b["certname"]))
		})
	}
	if q.limit > 0 && len(rows) > q.limit {
		rows = rows[:q.limit]
	}
	return rows, nil
}

func rowsOf(entity string, n Node) []row {
	var rows []row
	switch entity {
	case "facts":
		for name, value := range n.Facts {
			rows = append(rows, row{node: n, name: name, value: value})
		}
	case "resources":
		for _, c := range n.Classes {
			rows = append(rows, row{node: n, name: "Class", value: title(c)})
		}
	default:
		rows = append(rows, row{node: n})
	}
	return rows
}

// project is the answer's form of a row.
func project(q *query, r row) map[string]any {
	all := map[string]any{"certname": r.node.Certname}
	switch q.entity {
	case "nodes":
		all["deactivated"] = nil
		if r.node.Deactivated {
			all["deactivated"] = "2026-01-01T00:00:00.000Z"
		}
	case "inventory":
		all["facts"] = r.node.Facts
	case "facts":
		all["name"], all["value"] = r.name, r.value
	case "resources":
		all["type"], all["title"] = r.name, r.value
	}
	if len(q.fields) == 0 {
		return all
	}
	out := make(map[string]any, len(q.fields))
	for _, f := range q.fields {
		out[f] = all[f]
	}
	return out
}

// field returns how a field of an entity is read.
func (p *parser) field(entity string, t token) (func(row) any, error) {
	if t.text == "certname" {
		return func(r row) any { return r.node.Certname }, nil
	}
	if path, ok := strings.CutPrefix(t.text, "facts."); ok && entity == "inventory" {
		return func(r row) any { return dig(r.node.Facts, path) }, nil
	}
	if entity == "facts" && t.text == "name" || entity == "resources" && t.text == "type" {
		return func(r row) any { return r.name }, nil
	}
	if entity == "facts" && t.text == "value" || entity == "resources" && t.text == "title" {
		return func(r row) any { return r.value }, nil
	}
	return nil, p.unknownField(entity, t)
}

func (p *parser) unknownField(entity string, t token) error {
	return parseError(p.src, t.at, fmt.Sprintf("'%s' is not a queryable field of %s", t.text, entity))
}

// fields are those that the rows of an entity have.
func fields(entity string) []string {
	return map[string][]string{
		"nodes": {"certname", "deactivated"}, "inventory": {"certname", "facts"},
		"facts": {"certname", "name", "value"}, "resources": {"certname", "type", "title"},
	}[entity]
}

func dig(facts map[string]any, path string) any {
	var v any = facts
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[part]
	}
	return v
}

// compare returns the test of an operator.
func compare(op string, want []string) (func(any) bool, error) {
	if op == "in" {
		return func(have any) bool { return have != nil && slices.Contains(want, fmt.Sprint(have)) }, nil
	}
	if op == "~" {
		re, err := regexp.Compile(want[0])
		if err != nil {
			return nil, fmt.Errorf("the pattern does not compile: %w", err)
		}
		return func(have any) bool { s, ok := have.(string); return ok && re.MatchString(s) }, nil
	}
	return func(have any) bool {
		if have == nil {
			return false
		}
		text := fmt.Sprint(have)
		switch op {
		case "=":
			return text == want[0]
		case "!=":
			return text != want[0]
		}
		a, errA := strconv.ParseFloat(text, 64)
		b, errB := strconv.ParseFloat(want[0], 64)
		if errA != nil || errB != nil {
			return false
		}
		return op == ">" && a > b || op == "<" && a < b || op == ">=" && a >= b || op == "<=" && a <= b
	}, nil
}
