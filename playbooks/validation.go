package playbooks

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Validation is the validator of an input; the zero Validation accepts everything.
type Validation struct {
	name    string // of a named validator, such as ":shellsafe"
	pattern *regexp.Regexp
	choices []any
}

// maxPattern bounds the length of a pattern; matching is linear, but not free.
const maxPattern = 256

// namedValidators are the validators that 2017 always had.
func namedValidators() []string {
	return []string{":string", ":integer", ":float", ":number", ":boolean", ":shellsafe", ":ipv4address", ":ipv6address"}
}

// parseValidation reads what stands under validation.
func parseValidation(v any) (Validation, *Problem) {
	switch t := v.(type) {
	case []any:
		if len(t) == 0 {
			return Validation{}, &Problem{Message: "validation is an empty list", Remedy: "name the values that are allowed"}
		}
		return Validation{choices: t}, nil
	case string:
		if strings.HasPrefix(t, ":") {
			if !slices.Contains(namedValidators(), t) {
				return Validation{}, &Problem{Message: fmt.Sprintf("unknown validator %q", t), Remedy: suggest(t, namedValidators())}
			}
			return Validation{name: t}, nil
		}
		source := t
		if len(t) > 1 && strings.HasPrefix(t, "/") && strings.HasSuffix(t, "/") {
			source = t[1 : len(t)-1]
		}
		if len(source) > maxPattern {
			return Validation{}, &Problem{Message: fmt.Sprintf("the pattern is longer than %d characters", maxPattern), Remedy: "write a shorter one"}
		}
		re, err := regexp.Compile(source)
		if err != nil {
			return Validation{}, &Problem{Message: fmt.Sprintf("the pattern does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: ")), Remedy: `write a regular expression such as '/\A[a-z]+\z/'`}
		}
		return Validation{pattern: re}, nil
	default:
		return Validation{}, &Problem{Message: "validation is neither text nor a list", Remedy: `write ":shellsafe", "/pattern/" or [a, b]`}
	}
}

// Choices returns the allowed values of an enumeration; nil for other validators.
func (v Validation) Choices() []any { return v.choices }

// Describe says in a few words what is accepted; empty when everything is.
func (v Validation) Describe() string {
	switch {
	case v.choices != nil:
		return "one of " + text(v.choices)
	case v.pattern != nil:
		return "text that matches /" + v.pattern.String() + "/"
	case v.name == ":shellsafe":
		return "text without ` $ ; | & < > quotes, backslashes and line ends"
	case v.name != "":
		return "a value that is " + strings.TrimPrefix(v.name, ":")
	}
	return ""
}

// Check returns an error when the value is not accepted. Of a list, each item must be.
func (v Validation) Check(value any) error {
	if items, isList := value.([]any); isList {
		for _, item := range items {
			if err := v.Check(item); err != nil {
				return err
			}
		}
		return nil
	}
	ok := true
	switch {
	case v.choices != nil:
		ok = slices.ContainsFunc(v.choices, func(c any) bool { return text(c) == text(value) })
	case v.pattern != nil:
		s, isText := value.(string)
		ok = isText && v.pattern.MatchString(s)
	case v.name != "":
		ok = named(v.name, value)
	}
	if !ok {
		return fmt.Errorf("%s is not %s", describe(value), v.Describe())
	}
	return nil
}

// unsafe are the characters that :shellsafe refuses; 2017 let quotes, line ends, & and \ pass.
const unsafe = "`$;|&<>\"'\\\n\r\x00"

func named(name string, value any) bool {
	s, isText := value.(string)
	switch name {
	case ":string":
		return isText
	case ":integer":
		_, ok := value.(int)
		return ok
	case ":float":
		_, ok := value.(float64)
		return ok
	case ":number":
		_, isInt := value.(int)
		_, isFloat := value.(float64)
		return isInt || isFloat
	case ":boolean":
		_, ok := value.(bool)
		return ok
	case ":shellsafe":
		return isText && !strings.ContainsAny(s, unsafe)
	case ":ipv4address":
		a, err := netip.ParseAddr(s)
		return isText && err == nil && a.Is4()
	default:
		a, err := netip.ParseAddr(s)
		return isText && err == nil && a.Is6() && a.Zone() == "" // a zone may be any text
	}
}
