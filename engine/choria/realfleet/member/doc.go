// Package member starts one member of a real Choria network in this process: go-choria's broker, or one of its
// servers, with agents that are in the process and agents that are executables. Who belongs to a network, with which
// keys, and where the folders are, is the business of whoever starts one: realfleet for tests, demoreal to show.
package member
