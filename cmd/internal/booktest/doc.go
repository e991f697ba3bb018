// Package booktest tests playbooks for their authors. A case file names inputs, simulated nodes with
// their replies, and the clicks of people; each case runs on the real engine, with the real store, in
// virtual time, and what the run did is held against what the case expects. Nothing outside the
// process is touched: what a playbook would do there is answered from declarations, and what nobody
// has declared fails the case with a sentence that says what to declare.
package booktest
