package assert_test

import (
	"strings"
	"testing"

	"github.com/playbot/playbot/engine/enginetest/tasktest"
	"github.com/playbot/playbot/engine/tasks/assert"
	"github.com/playbot/playbot/playbooks"
)

func TestAssert_passesTheSuite(t *testing.T) {
	t.Parallel()
	tasktest.Run(t, tasktest.Case{
		Type: assert.Type(), Good: map[string]any{"that": true, "message": "two primaries"},
		Bad: map[string]any{"that": false, "message": "two primaries"},
	})
}

func TestAssert_tellsItsMessageWhenItDoesNotHold(t *testing.T) {
	t.Parallel()
	for that, holds := range map[any]bool{true: true, "yes": true, false: false, "no": false} {
		task, err := assert.Type().Decode(playbooks.FromMap(map[string]any{"that": that, "message": "two primaries; fence one"}))
		if err != nil {
			t.Fatalf("%v: %v", that, err)
		}
		r, err := task.Run(t.Context(), tasktest.Call(nil))
		if holds != (err == nil) || !holds && (r.Message != "two primaries; fence one" || err.Error() != r.Message) {
			t.Errorf("%v: got %q, %v", that, r.Message, err)
		}
	}
}

func TestAssert_isCheckedAtLoad(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		properties map[string]any
		want       string
	}{
		{map[string]any{"message": "m"}, "that is missing"},
		{map[string]any{"that": nil, "message": "m"}, "that is missing"},
		{map[string]any{"that": "len(nodes.web) == 1", "message": "m"}, "that must be true or false"},
		{map[string]any{"that": true}, "message is missing"},
		{map[string]any{"that": true, "message": ""}, "message is empty"},
		{map[string]any{"that": true, "message": "m", "fail_msg": "m"}, `unknown key "fail_msg"`},
	} {
		p := playbooks.FromMap(row.properties)
		_, err := assert.Type().Decode(p)
		if err == nil {
			err = p.Err()
		}
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%v: got %v, want %q", row.properties, err, row.want)
		}
	}
}
