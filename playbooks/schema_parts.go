package playbooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// input is the schema of an input.
func input(at string) object {
	section := inputSection()
	keys := sectionKeys(section)
	typ := section.Keys[slices.IndexFunc(section.Keys, func(k Key) bool { return k.Name == "type" })]
	keys["type"] = object{
		"description": typ.Doc,
		"anyOf":       []object{{"enum": typ.Choices}, {"enum": slices.Sorted(maps.Keys(inputTypes())), "deprecated": true}},
	}
	keys["choices"] = described(section, "choices", ref("choices"))
	out := keyed(at, keys, section.Keys)
	never := object{"properties": object{"default": false, "data": false, "save": false, "dynamic": false, "choices": false, "validation": object{"type": []string{"string", "null"}}}}
	out["allOf"] = append(defaults(),
		when("type", []string{secretType}, never),
		object{
			"if":   object{"properties": object{"save": object{"const": true}}, "required": []string{"save"}, "propertyNames": noSymbols()["propertyNames"]},
			"then": object{"required": []string{"data"}},
		},
		object{
			"if": object{
				"properties": object{"dynamic": object{"const": true}}, "required": []string{"dynamic"}, "propertyNames": noSymbols()["propertyNames"],
				"not": object{"anyOf": []object{{"required": []string{"default"}}, {"required": []string{"required"}}, {"required": []string{"require"}}}},
			},
			"then": object{"required": []string{"data"}},
		})
	return out
}

// defaults asks of a default that it is of the type of its input.
func defaults() []object {
	words := Key{Kind: KindBool}.shape(usage{})
	shapes := map[string]object{
		"String": {"type": []string{"string", "null"}}, "Integer": {"type": []string{"integer", "null"}},
		"Float": {"type": []string{"number", "null"}}, "Numeric": {"type": []string{"number", "null"}},
		"Array": {"type": []string{"array", "null"}}, "Boolean": words,
	}
	var out []object
	for _, typ := range typeNames() {
		var spellings []string
		for spelling, t := range inputTypes() {
			if t == typ {
				spellings = append(spellings, spelling)
			}
		}
		slices.Sort(spellings)
		if shapes[typ] != nil {
			out = append(out, when("type", spellings, object{"properties": object{"default": shapes[typ]}}))
		}
	}
	return out
}

// when asks something of a mapping in which a key has one of some values.
func when(key string, values []string, then object) object {
	return object{
		"if":   object{"properties": object{key: object{"enum": values}}, "required": []string{key}},
		"then": then,
	}
}

// parts defines node sets or data stores: what their types have in common, and the keys of each type.
func (s *schema) parts(name string, section Section, types []TypeDoc) {
	common := sectionKeys(section)
	var all, lines []string
	var cases []object
	for _, t := range types {
		names := append([]string{t.Name}, t.Aliases...)
		all = append(all, names...)
		lines = append(lines, fmt.Sprintf("- `%s`: %s", strings.Join(names, "`, `"), t.Summary))
		def := name + "." + t.Name
		s.def(def, func(at string) object { return properties(at, t, common) })
		cases = append(cases, when("type", names, ref(def)))
	}
	common["type"] = object{"enum": all, "description": "The type.\n" + strings.Join(lines, "\n")}
	s.defs[name] = object{
		"type": "object", "properties": common, "allOf": cases,
		"if": noSymbols(), "then": object{"required": []string{"type"}},
	}
}

// properties is a mapping with the keys of a type and the common ones. Without a list of its keys it takes any.
func properties(at string, t TypeDoc, common object, not ...string) object {
	keys := maps.Clone(common)
	for _, key := range not {
		delete(keys, key)
	}
	for _, k := range t.Keys {
		keys[k.Name] = k.schema(usage{template: true, words: true})
	}
	out := keyed(at, keys, t.Keys)
	if t.Keys == nil {
		delete(out, "additionalProperties")
	}
	out["description"] = t.Summary
	if t.Deprecated != "" {
		out["deprecated"], out["description"] = true, t.Summary+"; "+t.Deprecated
	}
	return out
}

// tasks defines the lists of tasks: those of the playbook, and those of a wave, in which none is rolling.
func (s *schema) tasks(types []TypeDoc) {
	section := taskSection()
	shared := sectionKeys(section)
	shared["approval"] = described(section, "approval", ref("approval"))
	s.defs["every_task"] = object{"properties": shared}
	common := make(object, len(shared))
	for key := range shared {
		common[key] = ref("every_task/properties/" + key)
	}
	kinds := make(object)
	for _, t := range types {
		def := "task." + t.Name
		s.def(def, func(at string) object { return properties(at, t, common) })
		for _, name := range append([]string{t.Name}, t.Aliases...) {
			kinds[name] = ref(def)
		}
	}
	s.taskList("tasks_of_a_wave", "task_of_a_wave", kinds)
	rolling := rollingSection()
	s.def("task."+rollingType, func(at string) object {
		out := properties(at, TypeDoc{Keys: rolling.Keys, Summary: rolling.Doc}, common, notOfRolling()...)
		keys := out["properties"].(object) //nolint:forcetypeassert // made by properties
		maps.Copy(keys, sectionKeys(rolling))
		keys["tasks"] = object{"type": "array", "minItems": 1, "items": ref("task_of_a_wave"), "description": described(rolling, "tasks", object{})["description"]}
		out["allOf"] = []object{{"if": noSymbols(), "then": object{"oneOf": []object{{"required": []string{"waves"}}, {"required": []string{"batch_size"}}}}}}
		return out
	})
	kinds = maps.Clone(kinds)
	kinds[rollingType] = ref("task." + rollingType)
	s.taskList("tasks", "task", kinds)
}

// taskList defines a list of tasks, and a task in it: a mapping from its type to its properties.
func (s *schema) taskList(name, item string, kinds object) {
	s.defs[name] = object{"type": []string{"array", "null"}, "items": ref(item)}
	s.def(item, func(at string) object {
		out := keyed(at, kinds, nil)
		out["minProperties"] = 1
		out["description"] = "A task: its type, and its properties below it."
		return out
	})
}
