package ddl

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// validation is what a text must satisfy beside its length.
type validation struct {
	says  string // what it must be, in words
	holds func(string) bool
}

// namedValidator is how Choria tells the name of a validator from a regular expression.
var namedValidator = regexp.MustCompile(`^[a-z]`)

// newValidation reads the validation of a DDL: a name, or a regular expression. An error says why it
// cannot be checked here: Ruby's expressions know more than ours, and agents bring validators.
func newValidation(source string) (*validation, error) {
	switch source {
	case "shellsafe":
		return &validation{"safe in a shell: without ` $ ; | && > <", shellSafe}, nil
	case "ipv4address":
		return &validation{"an IPv4 address", func(s string) bool { a, err := address(s); return err == nil && a.Is4() }}, nil
	case "ipv6address":
		return &validation{"an IPv6 address", func(s string) bool { a, err := address(s); return err == nil && a.Is6() }}, nil
	case "ipaddress":
		return &validation{"an IP address", func(s string) bool { _, err := address(s); return err == nil }}, nil
	}
	if namedValidator.MatchString(source) {
		return nil, fmt.Errorf("there is no validator %s here", quote(source))
	}
	re, err := regexp.Compile(source)
	if err != nil {
		return nil, fmt.Errorf("%s is no regular expression that can be read here", quote(source))
	}
	return &validation{"as " + source + " says", re.MatchString}, nil
}

// shellSafe holds for what Choria's validator of that name accepts.
func shellSafe(s string) bool {
	return !strings.ContainsAny(s, "`$;|><") && !strings.Contains(s, "&&")
}

var errZone = errors.New("an address with a zone")

func address(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err == nil && a.Zone() != "" {
		return a, errZone // means something on one machine only
	}
	return a, err
}
