// Package realfleettest is what every security mode of package realfleet is held to: one suite, run
// by the package of each mode.
package realfleettest
