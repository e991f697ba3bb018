// Package demoreal plays the main job on one machine with nothing simulated but Slack: the playbook
// web_upgrade moves a tier of a small HTTP application to a new revision, while requests come in all the
// time through two HAProxies. Real are
//
//   - a Choria broker and a server for each machine, go-choria's own, with certificates;
//   - their agents, executables that act on what follows (package agents);
//   - HAProxy, NRPE, the puppet agent, PuppetDB and PostgreSQL, from Debian's packages;
//   - the application, a process for each machine (package webapp).
//
// A "machine" is a folder, and an address of 127.0.0.0/8 of its own, so that every machine has its
// services on their usual ports. [Start] starts everything, [World.Play] plays one run, and
// [Report.Check] says what of it does not hold. Every process ends with [World.Stop], and with the
// process that started it.
//
// It is a module of its own, so that the bot never links go-choria.
package demoreal
