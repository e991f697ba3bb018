package mcollective

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/playbot/playbot/engine/choria"
)

// node is a part of a query's tree: an operator with its operands, or a list of values. Every value of
// a filter becomes a leaf of its own, so none can change the query.
// https://www.puppet.com/docs/puppetdb/latest/api/query/v4/ast
type node = []any

// query asks PuppetDB for the nodes that a filter selects on the network, by the traces that servers
// leave there: classes and the files of agents are resources, and facts are facts. Members of another
// collective are left out, for the network does not reach them.
func query(f choria.Filter, collective string) (node, error) {
	all := node{"and"}
	if collective != "" {
		all = append(all, fact(node{"=", `facts.mcollective.server.collectives.match("\d+")`, collective}))
	}
	for _, a := range f.Agents {
		c, err := agent(a)
		if err != nil {
			return nil, fmt.Errorf("agents: %s: %w", a, err)
		}
		all = append(all, c)
	}
	for _, w := range f.Classes {
		c, err := class(w)
		if err != nil {
			return nil, fmt.Errorf("classes: %s: %w", w, err)
		}
		all = append(all, c)
	}
	for _, text := range f.Facts {
		c, err := factFilter(text)
		if err != nil {
			return nil, fmt.Errorf("facts: %w", err)
		}
		all = append(all, fact(c))
	}
	if len(f.Identities) > 0 {
		c, err := identities(f.Identities)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	what := node{"extract", node{"certname", "deactivated", "expired"}}
	if len(all) > 1 {
		what = append(what, all)
	}
	return node{"from", "nodes", what, node{"order_by", node{"certname"}}}, nil
}

// fact holds for a node whose facts are so.
func fact(condition node) node { return node{"subquery", "inventory", condition} }

// resource holds for a node that has such a resource.
func resource(kind string, condition node) node {
	return node{"subquery", "resources", node{"and", node{"=", "type", kind}, condition}}
}

// everywhere lists the agents that are part of every server, and that no module brings.
func everywhere() []string { return []string{"rpcutil", "choria_util", "scout", "discovery"} }

// service holds for a server of Choria, of today or of 2017.
func service() node {
	return resource("Class", node{"in", "title", node{"array", node{"Choria::Service", "Mcollective::Service"}}})
}

// agent holds for a node with an agent: its module tags the agent's files.
func agent(word string) (node, error) {
	re, isPattern := pattern(word)
	if !isPattern {
		if slices.Contains(everywhere(), word) {
			return service(), nil
		}
		if word != strings.ToLower(word) {
			return nil, errors.New("PuppetDB has agents in lower case only; write it so")
		}
		return resource("File", node{"=", "tag", "mcollective_agent_" + word + "_server"}), nil
	}
	tag, err := tagPattern(re)
	if err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(re)
	if err != nil {
		return nil, err
	}
	byTag := resource("File", node{"~", "tag", tag})
	if slices.ContainsFunc(everywhere(), compiled.MatchString) {
		return node{"or", byTag, service()}, nil
	}
	return byTag, nil
}

// class compares without case, as servers do. PuppetDB has titles in which every part begins with a capital.
func class(word string) (node, error) {
	if re, isPattern := pattern(word); isPattern {
		title, err := postgres("(?i)" + re)
		return resource("Class", node{"~", "title", title}), err
	}
	parts := strings.Split(strings.ToLower(word), "::")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return resource("Class", node{"=", "title", strings.Join(parts, "::")}), nil
}

func identities(words []string) (node, error) {
	// PuppetDB looks for operations in lists of values too: by their first word, and in ["x", "tag", "Web1"], which it
	// makes lower case, by the second of three. No node is named "".
	names, either := node{"", ""}, node{"or"}
	for _, w := range words {
		re, isPattern := pattern(w)
		if !isPattern {
			names = append(names, w)
			continue
		}
		name, err := postgres(re)
		if err != nil {
			return nil, fmt.Errorf("identities: %s: %w", w, err)
		}
		either = append(either, node{"~", "certname", name})
	}
	return append(either, node{"in", "certname", node{"array", names}}), nil
}

func factFilter(text string) (node, error) {
	f, err := choria.ParseFact(text)
	if err != nil {
		return nil, err
	}
	path, err := factPath(f.Fact)
	if err != nil {
		return nil, err
	}
	c, err := comparison(path, f.Operator, f.Value)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	return c, nil
}

// factPath is PuppetDB's path to a fact such as os.family. Every part is quoted, so that none is
// taken for anything but a name.
func factPath(name string) (string, error) {
	parts := strings.Split(name, ".")
	for _, part := range parts {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune("\"\\[]()", r) }) {
			return "", fmt.Errorf("PuppetDB cannot be asked for a fact named %q; names are words with dots between them, as in os.family", name)
		}
		if strings.Trim(part, "0123456789") == "" { // its patterns do not reach into lists
			return "", fmt.Errorf("PuppetDB cannot be asked for entry %s of %q; use discovery_method: mc or inventory", part, name)
		}
	}
	return `facts."` + strings.Join(parts, `"."`) + `"`, nil
}

// number is one that both JSON and servers can read.
var number = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?$`)

// comparison compares a fact as servers do: text without its case, numbers as numbers, and neither
// with a structure or with a fact that is not there. To PuppetDB a pattern is asked of the text of a
// value, which structures have too, and of what is not there neither a pattern nor its contrary is true.
// Its kinds are ordered: text, numbers, booleans, structures.
func comparison(path, operator, value string) (node, error) {
	switch operator {
	case "==":
		return same(path, value)
	case "!=":
		c, err := same(path, value)
		return node{"and", node{"not", c}, node{"not", node{">", path, true}}}, err
	case "=~":
		re, err := postgres("(?i)" + strings.Trim(value, "/"))
		return node{"and", node{"~", path, re}, node{"not", node{">", path, true}}}, err
	}
	if !number.MatchString(value) {
		return nil, errors.New("PuppetDB compares with numbers alone; write one, such as 4 or 0.5, or use =, != or =~")
	}
	bound := node{"<=", path, json.Number("1e308")} // what is greater is no number
	if operator[0] == '<' {
		bound = node{">=", path, json.Number("-1e308")}
	}
	return node{"and", node{operator, path, json.Number(value)}, bound}, nil
}

// same compares text, which numbers have too; 1.50 and 1.5 are the same number.
func same(path, value string) (node, error) {
	re, err := postgres("(?i)^" + regexp.QuoteMeta(value) + "$")
	text := node{"~", path, re}
	if strings.Contains(value, ".") && number.MatchString(value) {
		return node{"or", text, node{"=", path, json.Number(value)}}, err
	}
	return text, err
}
