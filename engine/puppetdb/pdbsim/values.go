package pdbsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// asValues refuses a list of values that the real PuppetDB reads as something else: it looks for operations in
// every list of a query, and those of values are lists too. Some it refuses, such as ["not", "a", "b"], others it
// changes without a word: ["x", "tag", "Web1"] is then ["x", "tags", "web1"], and ["AND", "a"] has "and" in it
// (engine.clj of PuppetDB 7.12: push-down-context and expand-user-query). Here all of them are refused, for a
// query with one is a mistake, whatever it finds.
func asValues(list []any) error {
	if len(list) == 0 {
		return nil
	}
	if first, isText := list[0].(string); isText {
		word := strings.ToLower(first)
		if slices.Contains(operations(), word) || strings.HasPrefix(word, "select_") {
			return fmt.Errorf("PuppetDB takes a list that begins with %q for an operation; begin it with a text that is no word of its own", first)
		}
	}
	if len(list) == 3 && slices.Contains([]any{"tag", "new_value", "old_value"}, list[1]) {
		return fmt.Errorf("PuppetDB takes three values for a condition when the second is %q; add one", list[1])
	}
	if slices.Contains(list, nil) {
		return errors.New("null is no value of a list")
	}
	return nil
}

// operations are the words that make a list an operation; also the names of its tables are, select_nodes and so on.
func operations() []string {
	return []string{"from", "in", "extract", "subquery", "and", "or", "not", "function", "group_by", "null?", "=", "~", "~>", "<", "<=", ">", ">="}
}
