package playbooks

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// SchemaID is where the schema of the types that come with playbot is kept for editors.
const SchemaID = "https://raw.githubusercontent.com/playbot/playbot/main/docs/schema/playbook.json"

// TypeDoc is what the schema and the reference say about a type that playbooks may use.
type TypeDoc struct {
	Name       string
	Aliases    []string
	Summary    string // one line, without a capital and a full stop
	Deprecated string // what to use instead; empty for a type that is not deprecated
	Keys       []Key  // nil: not known, so that any key is accepted
}

// Catalog lists the types that playbooks may use. The rolling task is part of the language and not in it.
type Catalog struct {
	Tasks, NodeSets, DataStores []TypeDoc
}

// object is a part of a JSON Schema.
type object = map[string]any

// Schema is the JSON Schema (draft 2020-12) of a playbook that uses the types of a catalogue. It
// accepts whatever [Parse] accepts, 2017's symbol keys included, and cannot see everything that Parse
// refuses: names, templates and expressions above all. It keeps to what editors of draft 7 know too.
func Schema(c Catalog) ([]byte, error) {
	s := &schema{defs: make(object)}
	root := s.book(c)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = SchemaID
	root["title"] = "A playbook of playbot"
	root["$defs"] = s.defs
	data, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	return append(data, '\n'), nil
}

// schema collects the definitions that parts of a schema share.
type schema struct{ defs object }

// def adds a definition; made gets the place where its result will stand.
func (s *schema) def(name string, made func(at string) object) {
	s.defs[name] = made("#/$defs/" + name)
}

func ref(def string) object { return object{"$ref": "#/$defs/" + def} }

func (s *schema) book(c Catalog) object {
	section := bookSection()
	s.def("input", input)
	s.def("approval", func(at string) object { return orNull(keyed(at, sectionKeys(approvalSection()), nil)) })
	s.def("choices", func(at string) object {
		out := keyed(at, sectionKeys(choicesSection()), nil)
		out["minProperties"], out["maxProperties"] = 1, 1
		return out
	})
	s.tasks(c.Tasks)
	s.parts("node_set", nodeSetSection(), c.NodeSets)
	s.parts("data_store", storeSection(), c.DataStores)
	keys := sectionKeys(section)
	named := func(def string) object {
		return object{
			"type": []string{"object", "null"}, "additionalProperties": ref(def),
			"propertyNames": object{"pattern": "^:?[a-zA-Z0-9_-]+:?$"},
		}
	}
	hooks := orNull(keyed("#/properties/hooks", s.hookLists(), nil))
	for key, shape := range map[string]object{
		"inputs": named("input"), "nodes": named("node_set"), "data_stores": named("data_store"),
		"hooks": hooks, "tasks": ref("tasks"), "approval": ref("approval"),
	} {
		keys[key] = described(section, key, shape)
	}
	maps.Copy(keys["uses"].(object), object{"additionalProperties": object{"type": []string{"string", "number", "boolean"}}}) //nolint:forcetypeassert // made above
	return keyed("#", keys, section.Keys)
}

func (s *schema) hookLists() object {
	section, out := hookSection(), make(object)
	for _, k := range section.Keys {
		out[k.Name] = described(section, k.Name, ref("tasks"))
	}
	return out
}

// described adds the text of a key to a shape. The shape of a reference is wrapped: beside $ref, older editors read nothing.
func described(s Section, key string, shape object) object {
	i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.Name == key })
	if _, isRef := shape["$ref"]; isRef {
		shape = object{"allOf": []object{shape}}
	}
	shape["description"] = s.Keys[i].Doc
	return shape
}

// sectionKeys are the schemas of the keys of a section.
func sectionKeys(s Section) object {
	out := make(object, len(s.Keys))
	for _, k := range s.Keys {
		shape := k.schema(usage{template: s.templates(k.Name)})
		maps.Copy(shape, bounds()[s.Name+"."+k.Name])
		out[k.Name] = shape
	}
	return out
}

// bounds are what the language asks of values beyond their kind.
func bounds() map[string]object {
	word := func(re *regexp.Regexp) object { return object{"pattern": "^$|" + re.String()} }
	lockList := object{"type": []string{"array", "null"}}
	return map[string]object{
		"playbook.name":        {"pattern": bookName.String()},
		"playbook.run_as":      word(callerID),
		"playbook.locks":       lockList,
		"playbook.on_fail":     {"enum": []any{"fail", "", nil}},
		"task.locks":           lockList,
		"task.as":              word(resultName),
		"task.tries":           {"minimum": 1},
		"node set.at_least":    {"minimum": 0},
		"node set.at_most":     {"minimum": 1},
		"node set.limit":       {"minimum": 1},
		"approval.count":       {"minimum": 1, "maximum": maxApprovers},
		"approval.expires":     {"exclusiveMinimum": 0},
		"playbook.timeout":     {"exclusiveMinimum": 0},
		"approval.from":        {"minItems": 1},
		"approval.escalate":    {"minItems": 1},
		"choices.store":        {"pattern": "^$|/"},
		"input.data":           {"pattern": "^$|/"},
		"input.validation":     {"type": []string{"string", "array", "null"}, "minItems": 1, "pattern": validators()},
		rollingType + ".waves": {"type": []string{"array"}, "minItems": 1, "items": Key{Kind: KindShare}.schema(usage{template: true})},
		rollingType + ".nodes": {"minItems": 1},
		rollingType + ".tasks": {"type": "array", "minItems": 1},
	}
}

// validators matches a regular expression, or the name of a validator.
func validators() string {
	return "^[^:]|^$|^(" + strings.Join(namedValidators(), "|") + ")$"
}

// symbolic are the keys that may be written as a symbol of 2017, ":message" or ":message:".
func symbolic(key string) bool { return symbolKey.MatchString(":" + key) }

// keyed is a mapping that knows its keys. Those of known that are required must be there; where
// symbols stand among them, that is left to Parse.
func keyed(at string, keys object, known []Key) object {
	symbols := make(object)
	for key := range keys {
		if symbolic(key) {
			symbols["^:"+key+":?$"] = object{"$ref": at + "/properties/" + key}
		}
	}
	out := object{"type": "object", "properties": keys, "patternProperties": symbols, "additionalProperties": false}
	var required []string
	for _, k := range known {
		if k.Required {
			required = append(required, k.Name)
		}
	}
	if len(required) > 0 {
		out["if"], out["then"] = noSymbols(), object{"required": required}
	}
	return out
}

// orNull takes a mapping whose keys were all left out.
func orNull(out object) object {
	out["type"] = []string{"object", "null"}
	return out
}

func noSymbols() object { return object{"propertyNames": object{"pattern": "^[^:]"}} }
