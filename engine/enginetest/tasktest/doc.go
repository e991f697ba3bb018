// Package tasktest is the suite that every task type passes: empty properties are refused where
// they stand, a cut off task returns within a second and leaves nothing behind, what it keeps is
// bounded and survives JSON, no secret shows, and nothing is shared between two runs of one task.
package tasktest
