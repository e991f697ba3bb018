package filter

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// comparison is one comparison of a fact.
type comparison struct {
	wire.Fact

	fractional bool           // a number is compared with its fraction, and not cut down to a whole one
	re         *regexp.Regexp // of =~; nil: it cannot be read
}

func newComparison(f wire.Fact) comparison {
	c := comparison{Fact: f, fractional: strings.Contains(f.Value, ".")}
	if f.Operator == "=~" {
		if re, err := regexp.Compile("(?i)" + strings.Trim(f.Value, "/")); err == nil {
			c.re = re
		}
	}
	return c
}

// holds finds the fact by its path in gjson's syntax. A null and a structure compare with nothing.
func (c comparison) holds(facts []byte) bool {
	v := gjson.GetBytes(facts, c.Fact.Fact)
	switch v.Type {
	case gjson.String:
		return c.text(v.String())
	case gjson.Number:
		return c.number(v)
	case gjson.True, gjson.False:
		return c.truth(v.Bool())
	case gjson.Null, gjson.JSON:
	}
	return false
}

// text compares without regard to case.
func (c comparison) text(have string) bool {
	switch c.Operator {
	case "==":
		return strings.EqualFold(have, c.Value)
	case "!=":
		return !strings.EqualFold(have, c.Value)
	case "=~":
		return c.re != nil && c.re.MatchString(have)
	}
	return c.ordered(strings.Compare(strings.ToLower(have), strings.ToLower(c.Value)))
}

// number compares whole numbers unless the value has a point: to a server 1.5 is 1.
func (c comparison) number(have gjson.Result) bool {
	whole := strconv.Itoa(int(have.Int()))
	if c.Operator == "=~" {
		if c.fractional {
			whole = fmt.Sprintf("%.4f", have.Float())
		}
		return c.re != nil && c.re.MatchString(whole)
	}
	if c.fractional {
		want, err := strconv.ParseFloat(c.Value, 64)
		return err == nil && c.fraction(have.Float(), want)
	}
	switch c.Operator {
	case "==":
		return whole == c.Value
	case "!=":
		return whole != c.Value
	}
	want, err := strconv.Atoi(c.Value)
	return err == nil && c.ordered(cmp.Compare(int(have.Int()), want))
}

func (c comparison) fraction(have, want float64) bool {
	switch c.Operator {
	case "==":
		return have == want
	case "!=":
		return have != want
	case ">": // servers take a fraction that is equal, too
		return have >= want
	}
	return c.ordered(cmp.Compare(have, want))
}

// truth compares with the words of strconv.ParseBool. What is no such word is false, so that to a
// server a fact that is false equals every other word, and differs from them too.
func (c comparison) truth(have bool) bool {
	value := c.Value
	if c.Operator != "==" {
		value = strings.ToLower(value)
	}
	want, err := strconv.ParseBool(value)
	want = want && err == nil
	switch c.Operator {
	case "==", "=~":
		return have == want
	case "!=":
		return !want
	}
	return false
}

func (c comparison) ordered(order int) bool {
	switch c.Operator {
	case "<":
		return order < 0
	case ">":
		return order > 0
	case "<=":
		return order <= 0
	case ">=":
		return order >= 0
	}
	return false
}
