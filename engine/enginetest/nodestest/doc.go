// Package nodestest is the suite that every node source passes.
package nodestest
