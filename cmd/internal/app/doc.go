// Package app puts the house together. It is the only package that knows every other one: it reads
// the configuration, opens the store, connects to the networks and starts the engine and the bot,
// in an order that can be taken back.
package app
