package mcollective

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/internal/document"
	"github.com/playbot/playbot/engine/internal/hostname"
	"github.com/playbot/playbot/playbooks"
)

// maxList bounds a flat file, in bytes.
const maxList = 4 << 20

// list is a file of names: the discovery options.
type list struct {
	path   string
	format string
	filter string // a path in GJSON to the list; "" is the whole file
}

// formats are those of flat files; the second word of each is how Choria also calls it.
func formats() []string {
	return []string{"text", "txt", "json", "yaml", "yml", "choriarpc", "results", "rpc", "response"}
}

// readList reads the discovery options of methods that read files.
func readList(p *playbooks.Properties, method, dir string) list {
	options := p.StringMap("discovery_options")
	if method != flatFile && method != inventoryFile {
		return list{}
	}
	known := []string{"file"}
	if method == flatFile {
		known = []string{"file", "format", "filter"}
	}
	if !p.Has("discovery_options") {
		p.Remedy("discovery_options", "add discovery_options: {file: …}", "discovery_method: %s reads a file, and none is named", method)
		return list{}
	}
	for _, e := range p.Source("discovery_options").Entries() {
		if !slices.Contains(known, e.Key) {
			p.RemedyAt(e.Pos, "it has: "+strings.Join(known, ", "), "discovery_method: %s has no option %q", method, e.Key)
		}
	}
	if p.Deferred("discovery_options") {
		return list{}
	}
	l := list{path: options["file"], format: options["format"], filter: options["filter"]}
	l.check(p, options)
	if !filepath.IsAbs(l.path) {
		l.path = filepath.Join(dir, l.path)
	}
	return l
}

func (l *list) check(p *playbooks.Properties, options map[string]string) {
	if l.path == "" {
		p.Remedy("discovery_options", "add file: …", "discovery_options name no file")
	}
	for _, e := range p.Source("discovery_options").Entries() {
		if text, mixed := e.Value.Filled(plainWord); mixed && e.Key == "file" && (ups(text) != ups(l.path) || filepath.IsAbs(text) != filepath.IsAbs(l.path)) {
			p.RemedyAt(e.Pos, "give a name that does not begin with / and has no ..", "the value of a template would lead to another folder in %q", l.path)
		}
	}
	if format, given := options["format"]; given && !slices.Contains(formats(), format) {
		p.Remedy("discovery_options", "write text, json, yaml or choriarpc", "format cannot be %q", format)
	}
	if filter, given := options["filter"]; given && filter == "" {
		p.Remedy("discovery_options", "name the path to the list, or remove filter", "filter is empty")
	}
	if l.format == "" {
		l.format = strings.TrimPrefix(filepath.Ext(l.path), ".")
	}
}

// ups counts the steps that a path goes up.
func ups(path string) int {
	n := 0
	for step := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if step == ".." {
			n++
		}
	}
	return n
}

// find returns the names in the file, in their order, of which one identity matches if there are any.
func (l list) find(ctx context.Context, identities []string) ([]string, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	data, err := document.Read("flat file", l.path, maxList)
	if err != nil {
		return nil, err
	}
	nodes, err := l.names(data)
	if err != nil {
		return nil, engine.Errorf(engine.CodeInvalid, "flat file %s: %v", l.path, err)
	}
	m, err := choria.Filter{Identities: identities}.Matcher()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(nodes, func(n string) bool { return !m.MatchesName(n) }), nil
}

func (l list) names(data []byte) ([]string, error) {
	switch l.format {
	case "json":
		v, err := document.JSON(data)
		if err != nil {
			return nil, err
		}
		return l.listed(v)
	case "yaml", "yml":
		v, err := document.YAML(data)
		if err != nil {
			return nil, err
		}
		return l.listed(v)
	case "choriarpc", "results", "rpc", "response":
		return senders(data)
	}
	return lines(data)
}

// lines reads a name from each line. Blank lines, and those that begin with #, are left out.
func lines(data []byte) ([]string, error) {
	var out []string
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		name := strings.TrimSpace(line)
		if name == "" || name[0] == '#' {
			continue
		}
		if !hostname.Valid(name) {
			return nil, fmt.Errorf("line %d: %q is not the name of a node", number, clip(name))
		}
		out = append(out, name)
	}
	return out, nil
}

// listed reads a list of names, or that to which the filter leads.
func (l list) listed(v any) ([]string, error) {
	if l.filter != "" {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		found := gjson.GetBytes(raw, l.filter)
		if !found.IsArray() {
			return nil, fmt.Errorf("the filter %s does not lead to a list", l.filter)
		}
		v = found.Value()
	}
	items, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("it must be a list of names; with discovery_options.filter, name the path to it")
	}
	var out []string
	for i, item := range items {
		name, isText := item.(string)
		if !isText || !hostname.Valid(name) {
			return nil, fmt.Errorf("entry %d: %s is not the name of a node", i+1, clip(fmt.Sprint(item)))
		}
		out = append(out, name)
	}
	return out, nil
}

// senders reads the names out of the replies that `choria req -j` prints.
func senders(data []byte) ([]string, error) {
	v, err := document.JSON(data)
	if err != nil {
		return nil, err
	}
	top, _ := v.(map[string]any)
	replies, ok := top["replies"].([]any)
	if !ok {
		return nil, fmt.Errorf("it has no list of replies; write it with choria req -j")
	}
	var out []string
	for i, r := range replies {
		reply, _ := r.(map[string]any)
		name, _ := reply["sender"].(string)
		if !hostname.Valid(name) {
			return nil, fmt.Errorf("reply %d: the sender %q is not the name of a node", i+1, clip(name))
		}
		out = append(out, name)
	}
	return out, nil
}

// clip shortens what a file says for a message.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
