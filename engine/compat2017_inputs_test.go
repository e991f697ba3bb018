//nolint:thelper // what inHouse and inSample run are the tests: a failure names their lines
package engine_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/engine/enginetest"
)

// The fixture of 14.2, and the precedence of 2.4.
func TestCompat2017_inputsAreResolved(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		given  map[string]any
		stored any // under data_backed; nil: nothing
		want   map[string]string
		seen   []string // of the store
		failed string
	}{
		"value given, then store, then default: nothing": {
			nil, nil,
			map[string]string{"cluster": "alpha", "data_backed": "def", "forced_dynamic": "def"},
			[]string{"get data_backed", "get data_backed"},
			"",
		},
		"value given, then store, then default: the store": {
			nil, "stored", map[string]string{"data_backed": "stored", "forced_dynamic": "stored"}, []string{"get data_backed", "get data_backed"}, "",
		},
		"value given, then store, then default: given": {
			map[string]any{"cluster": "beta", "data_backed": "given"},
			"stored",
			map[string]string{"cluster": "beta", "data_backed": "given", "forced_dynamic": "stored"},
			[]string{"get data_backed"},
			"",
		},
		"save writes once, what was given": {
			map[string]any{"data_backed_save": "kept"},
			nil,
			map[string]string{"data_backed": "kept", "forced_dynamic": "kept"},
			[]string{"put data_backed=kept", "get data_backed", "get data_backed"},
			"",
		},
		"an invalid value of the store is no missing one": {nil, "NOT FIT", nil, []string{"get data_backed"}, `the value in s/data_backed is not fit for input "data_backed": "NOT FIT"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWatchedHouse(t, func(t *testing.T, h *enginetest.House, w *witness, _ *watchedFleet) {
				h.Book("b", `
data_stores: {s: {type: map}}
inputs:
  cluster: {type: String, required: false, default: alpha, validation: ":string"}
  data_backed: {type: String, data: s/data_backed, default: def, validation: '/\A[a-z]+\z/'}
  forced_dynamic: {type: String, data: s/data_backed, default: def, dynamic: true}
  data_backed_save: {type: String, data: s/data_backed, save: true}
tasks: [{do: {name: one, any: {cluster: "{{ inputs.cluster }}", data_backed: "{{ inputs.data_backed }}", forced_dynamic: "{{ inputs.forced_dynamic }}"}}}]
`)
				if row.stored != nil {
					h.Script.Set("data_backed", row.stored)
				}
				inputs := map[string]any{"cluster": "alpha"} // as bound: a default that no store is asked for
				maps.Copy(inputs, row.given)
				run := h.Finish(h.Start("b", inputs))
				got, _ := run.Steps["tasks.1"].Last().Properties["any"].(map[string]any)
				for k, v := range row.want {
					if got[k] != v {
						t.Errorf("%s is %v, want %s", k, got[k], v)
					}
				}
				if !strings.Contains(run.Message, row.failed) || (row.failed == "") != (run.Status == engine.RunSuccess) {
					t.Errorf("%s: %s; want %q", run.Status, run.Message, row.failed)
				}
				seen := slices.DeleteFunc(w.all(), func(line string) bool { return strings.HasPrefix(line, "open") })
				slices.SortStableFunc(seen, func(a, b string) int { return strings.Compare(b[:3], a[:3]) }) // properties have no order
				if !slices.Equal(seen, row.seen) {
					t.Errorf("the store saw %q, want %q", seen, row.seen)
				}
			})
		})
	}
}

func TestCompat2017_inputWithoutAnyValueIsNamed(t *testing.T) {
	t.Parallel()
	for properties, want := range map[string]string{
		"{type: String, data: s/k}":                                 `input "x" has no value: read s/k for input "x": "k": no such key`,
		"{type: String, required: false}":                           `input "x": it has no value, data source or default`,
		"{type: String, data: s/k, dynamic: true, required: false}": `input "x" has no value`,
	} {
		inHouse(t, func(t *testing.T, h *enginetest.House) {
			h.Book("b", "data_stores: {s: {type: map}}\ninputs: {x: "+properties+"}\ntasks: [{do: {name: one, any: \"{{ inputs.x }}\"}}]\nhooks: {on_fail: [{do: {name: sorry}}]}\n")
			run := h.Finish(h.Start("b", nil))
			if run.Status != engine.RunFailed || !strings.Contains(run.Message, want) || h.Script.Calls("sorry") != 1 {
				t.Errorf("%s: %s: %s; want %q and on_fail", properties, run.Status, run.Message, want)
			}
			if r := run.Report(); r.Report.Message != run.Message || len(r.Tasks) != 2 {
				t.Errorf("%s: the report says %+v", properties, r)
			}
		})
	}
}

// No store is open yet when stores are opened: only what is given or has a default is there.
func TestCompat2017_storesKnowOnlyStaticInputs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		input, label, failed string
		given                map[string]any
	}{
		"given":              {"{type: String, data: t/x}", "x1", "", map[string]any{"x": "x1"}},
		"default":            {"{type: String, data: t/x, default: d}", "d", "", nil},
		"default, of itself": {"{type: String, data: s/x, default: d}", "d", "", nil},
		"neither":            {"{type: String, data: t/x}", "", `data store "s": 11:13: template {{ inputs.x }}: input "x" is read from a data store`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWatchedHouse(t, func(t *testing.T, h *enginetest.House, w *witness, _ *watchedFleet) {
				h.Book("b", "inputs: {x: "+row.input+"}\ndata_stores:\n  t: {type: map}\n  s:\n    type: map\n    label: \"{{ inputs.x }}\"\ntasks: [{do: {name: one}}]\n")
				h.Script.Set("x", "stored")
				run := h.Finish(h.Start("b", row.given))
				if !strings.Contains(run.Message, row.failed) || (row.failed == "") != (run.Status == engine.RunSuccess) {
					t.Errorf("%s: %s; want %q", run.Status, run.Message, row.failed)
				}
				if got := strings.Join(w.all(), ", "); row.failed == "" && got != "open , open "+row.label {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// Most stores hold text alone (4.1), and inputs of every type may be bound to them.
func TestCompat2017_textOfAStoreBecomesTheTypeOfTheInput(t *testing.T) {
	t.Parallel()
	for typ, row := range map[string]struct {
		stored, want any
		failed       string
	}{
		"String":   {"5", "5", ""},
		"Integer":  {"5", 5, ""},
		"Float":    {"0.5", 0.5, ""},
		"Numeric":  {"5", 5, ""},
		"Boolean":  {"no", false, ""},
		"Array":    {"web1", []any{"web1"}, ""},
		"Fixnum":   {5, 5, ""},
		":string":  {5, nil, "5 is not of type String"}, // 010 and 1.10 would be other text than was written
		":integer": {"many", nil, `the value in s/x is not fit for input "x": "many" is not a whole number`},
	} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			inHouse(t, func(t *testing.T, h *enginetest.House) {
				h.Book("b", "data_stores: {s: {type: map}}\ninputs:\n  x:\n    type: "+typ+"\n    data: s/x\ntasks: [{do: {name: one, any: [\"{{ inputs.x }}\"]}}]\n")
				h.Script.Set("x", row.stored)
				run := h.Finish(h.Start("b", nil))
				if row.failed != "" {
					if !strings.Contains(run.Message, row.failed) {
						t.Errorf("%s: %s; want %q", run.Status, run.Message, row.failed)
					}
					return
				}
				if run.Status != engine.RunSuccess {
					t.Fatalf("%s: %s", run.Status, run.Message)
				}
				if got := h.Script.Effects()[0].Any; !reflect.DeepEqual(got, []any{row.want}) {
					t.Errorf("got %#v, want %#v", got, []any{row.want})
				}
			})
		})
	}
}
