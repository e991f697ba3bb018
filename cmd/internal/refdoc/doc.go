// Package refdoc writes down what playbooks may use, from the code: the catalogue that the JSON Schema
// is made from, and the reference pages in docs/guide/reference. Its tests hold the files in docs
// against that; `go test ./cmd/internal/refdoc -update` rewrites them.
package refdoc
