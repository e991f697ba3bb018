package lint

// Severity says how bad a finding is. What does not load is an error; lint finds nothing of that kind.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // the playbook does not load
	Warning Severity = "warning" // it may do harm when it runs
	Advice  Severity = "advice"  // it would be better otherwise
)

// Rule is one thing that lint looks for.
type Rule struct {
	ID       string
	Severity Severity
	Reason   string // why it matters: one sentence
	Remedy   string // what to do about it
	find     func(*book)
}

// Rules lists every rule, those about silencers last.
func Rules() []Rule {
	return []Rule{
		ungatedDestructive(),
		unboundedNodeSet(),
		openQuery(),
		unknownRole(),
		waveWithoutCheck(),
		forgivenCanary(),
		tokenInPlainText(),
		secretInCommand(),
		shellWithoutTimeout(),
		retryWithoutSleep(),
		deprecatedType(),
		retriedChange(),
		changeWithoutLock(),
		unusedInput(),
		unusedNodeSet(),
		unusedDataStore(),
		brokenSilencer(),
		unusedSilencer(),
	}
}
