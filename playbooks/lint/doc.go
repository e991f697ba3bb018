// Package lint finds what loads and will hurt all the same: changes that nobody is asked about, node
// sets without an end, secrets in the file.
//
// A rule is one file here and one section in docs/guide/lint.md. A comment in the playbook silences
// a rule at one place, and has to say why:
//
//	# lint: allow retried-change – the script looks before it changes anything
package lint
