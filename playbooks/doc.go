// Package playbooks is the language: it turns the bytes of a YAML file into a checked, immutable
// [Playbook], or into every problem of the file at once, each with its place and a remedy.
//
// It knows no engine and no network. What task types, node sets and data stores exist is handed in
// as a [Vocabulary]; what a template or an expression sees when a playbook runs, as a [Scope].
package playbooks
