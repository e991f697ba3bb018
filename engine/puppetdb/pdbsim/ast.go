package pdbsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// tree reads a query that is a tree in JSON: ["from", entity, …].
type tree struct {
	everyState bool
	depth      int
}

func parseTree(v any) (*query, bool, error) {
	t := &tree{}
	q, err := t.query(v)
	return q, t.everyState, err
}

func notValid(v any, what string) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(raw) > 200 {
		raw = append(raw[:200:200], "…"...)
	}
	return fmt.Errorf("%s is not a valid expression for %q", raw, what)
}

// head splits an operator from its operands.
func head(v any) (op string, operands []any, ok bool) {
	list, _ := v.([]any)
	if len(list) == 0 {
		return "", nil, false
	}
	op, ok = list[0].(string)
	return op, list[1:], ok
}

func (t *tree) query(v any) (*query, error) {
	op, rest, _ := head(v)
	if op != "from" || len(rest) == 0 {
		return nil, notValid(v, "from")
	}
	entity, _ := rest[0].(string)
	if !slices.Contains(entities(), entity) {
		return nil, fmt.Errorf("invalid entity %q", entity)
	}
	q := &query{entity: entity, where: always}
	for i, clause := range rest[1:] {
		var err error
		switch op, operands, _ := head(clause); op {
		case "extract":
			err = t.extract(q, clause, operands)
		case "order_by":
			q.sorted = true
			err = sortedByName(operands)
		case "limit":
			err = q.cut(operands)
		default:
			if i > 0 {
				return nil, notValid(clause, "from")
			}
			q.where, err = t.condition(entity, clause)
		}
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (t *tree) extract(q *query, clause any, operands []any) error {
	if len(operands) == 0 || len(operands) > 2 {
		return notValid(clause, "extract")
	}
	list, isList := operands[0].([]any)
	if !isList {
		list = []any{operands[0]}
	}
	for _, f := range list {
		name, _ := f.(string)
		if !slices.Contains(fields(q.entity), name) {
			return fmt.Errorf("'%v' is not a queryable field of %s", f, q.entity)
		}
		q.fields = append(q.fields, name)
	}
	var err error
	if len(operands) == 2 {
		q.where, err = t.condition(q.entity, operands[1])
	}
	return err
}

func sortedByName(operands []any) error {
	if len(operands) == 1 {
		if list, _ := operands[0].([]any); len(list) == 1 && list[0] == "certname" {
			return nil
		}
	}
	return errors.New("only order_by certname is known here")
}

func (q *query) cut(operands []any) error {
	if len(operands) == 1 {
		if n, isNumber := operands[0].(float64); isNumber && n >= 1 && n < 1<<31 {
			q.limit = int(n)
			return nil
		}
	}
	return errors.New("limit wants a number")
}

func (t *tree) condition(entity string, v any) (condition, error) {
	t.depth++
	defer func() { t.depth-- }()
	if t.depth > maxNesting {
		return nil, errors.New("nested too deep")
	}
	op, operands, ok := head(v)
	if !ok {
		return nil, notValid(v, entity)
	}
	switch {
	case op == "and" || op == "or":
		return t.several(entity, op, operands)
	case op == "not" && len(operands) == 1:
		c, err := t.condition(entity, operands[0])
		return contrary(c), err
	case op == "subquery" && len(operands) == 2:
		return t.subquery(v, operands)
	case op == "in" && len(operands) == 2:
		return t.in(entity, v, operands)
	case slices.Contains([]string{"=", "~", ">", "<", ">=", "<="}, op) && len(operands) == 2:
		return t.comparison(entity, op, v, operands)
	}
	return nil, notValid(v, entity)
}

func (t *tree) several(entity, op string, operands []any) (condition, error) {
	if len(operands) == 0 {
		return nil, fmt.Errorf("'%s' takes at least one argument, but none were supplied", op)
	}
	join := both
	if op == "or" {
		join = either
	}
	var all condition
	for _, o := range operands {
		c, err := t.condition(entity, o)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = c
		} else {
			all = join(all, c)
		}
	}
	return all, nil
}

func (t *tree) subquery(v any, operands []any) (condition, error) {
	entity, _ := operands[0].(string)
	if !slices.Contains(entities(), entity) {
		return nil, notValid(v, "subquery")
	}
	c, err := t.condition(entity, operands[1])
	return related(entity, c), err
}

func (t *tree) in(entity string, v any, operands []any) (condition, error) {
	name, _ := operands[0].(string)
	op, list, _ := head(operands[1])
	if op != "array" || len(list) != 1 {
		return nil, notValid(v, "in")
	}
	values, isList := list[0].([]any)
	if !isList {
		return nil, notValid(v, "in")
	}
	if err := asValues(values); err != nil {
		return nil, err
	}
	return test(entity, name, "in", values)
}

func (t *tree) comparison(entity, op string, v any, operands []any) (condition, error) {
	name, _ := operands[0].(string)
	switch operands[1].(type) {
	case string, bool, float64:
	default:
		return nil, notValid(v, op)
	}
	if name == "node_state" && op == "=" {
		t.everyState = true
		return nodeState(operands[1])
	}
	return test(entity, name, op, operands[1:])
}
