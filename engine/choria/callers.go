package choria

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// Callers says in whose name a client can ask, as the nodes' audit logs and action policies see it.
type Callers struct {
	Own   string // the caller when a call names nobody
	Named bool   // a call may name a person
	Why   string // a sentence for people: why it may, or why not and what to do
}

// String is a line for people.
func (c Callers) String() string {
	if c.Named {
		return "nodes see the person: " + c.Why
	}
	return fmt.Sprintf("nodes see %s and not the person: %s", c.Own, c.Why)
}

// Person is the caller to ask as for somebody of Slack; "" when the client can ask in its own name only, or when
// there is no team, as for who stands at a terminal.
func (c Callers) Person(team, user string) (string, error) {
	if !c.Named || team == "" {
		return "", nil
	}
	caller := "slack=" + team + "." + user
	if strings.Contains(team+user, ".") {
		return "", fmt.Errorf("the ids %q and %q of team and user cannot be told apart in a caller", team, user)
	}
	return caller, validCaller(caller)
}

// Callers says in whose name this client can ask.
func (c *Client) Callers() Callers { return c.security.callers }

// callerPattern is narrower than that of servers, which take every \w, dots and dashes, and read no further than
// the first other character.
var callerPattern = regexp.MustCompile(`^[a-z]{1,32}=[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

const maxCaller = 200

func validCaller(caller string) error {
	if len(caller) > maxCaller || !callerPattern.MatchString(caller) {
		return fmt.Errorf("%.80q is no caller; write kind=name with letters, digits, dots, dashes and underscores", caller)
	}
	return nil
}

// caller is who asks in this call.
func (s security) caller(q Request) (string, error) {
	if q.Caller == "" || q.Caller == s.callers.Own {
		return s.callers.Own, nil
	}
	if !s.callers.Named {
		return "", fmt.Errorf("playbot cannot ask as %.80q: %s", q.Caller, s.callers.Why)
	}
	return q.Caller, validCaller(q.Caller)
}

// requestIDLength is what version 1 demands; version 2 takes any.
const requestIDLength = 32

var runPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,26}$`)

// requestID makes the id of a request: the run's id in lower case, so that every node's log names the run, and
// then 36 bits or more that nobody can guess who does not know the secret. With a key they are the same whenever
// the run and the key are; without one they are random.
func requestID(run, key string, secret []byte) (string, error) {
	if run != "" && !runPattern.MatchString(run) {
		return "", fmt.Errorf("%.80q is no run id; it has at most 26 letters and digits", run)
	}
	var rest []byte
	if key == "" {
		rest = randomSecret()
	} else {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(run + "\x00" + key))
		rest = mac.Sum(nil)
	}
	return (strings.ToLower(run) + base64.RawURLEncoding.EncodeToString(rest))[:requestIDLength], nil
}

// randomSecret is 32 bytes that nobody knows.
func randomSecret() []byte {
	b := make([]byte, sha256.Size)
	_, _ = rand.Read(b) // never fails
	return b
}
