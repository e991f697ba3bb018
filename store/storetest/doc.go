// Package storetest is the contract of [engine.Log] as tests: every implementation passes [Log].
package storetest
