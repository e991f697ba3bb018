package datastoretest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/playbooks"
)

// Case is a data store type with what the suite needs to put it to the test.
type Case struct {
	Type engine.DataStoreType
	// Properties opens a fresh, empty store.
	Properties func(t *testing.T) map[string]any
	// TextOnly says that the store keeps text and nothing else: numbers come back as text, and what
	// has no text is refused.
	TextOnly bool
	// Keys are at least two keys that the store may hold; nil when it may hold any.
	Keys []string
}

// Open opens a store as a run would.
func Open(t *testing.T, typ engine.DataStoreType, properties map[string]any) engine.DataStore {
	t.Helper()
	p := playbooks.FromMap(properties)
	s, err := typ.Decode(p)
	if err = errors.Join(err, p.Err()); err != nil {
		t.Fatalf("%v is refused: %v", properties, err)
	}
	return s
}

// Run puts a data store type to the test.
func Run(t *testing.T, c Case) {
	t.Helper()
	open := func(t *testing.T) engine.DataStore {
		t.Helper()
		return Open(t, c.Type, c.Properties(t))
	}
	t.Run("an unknown property is refused", func(t *testing.T) {
		p := playbooks.FromMap(map[string]any{"no_such_property": 1})
		_, err := c.Type.Decode(p)
		if err = errors.Join(err, p.Err()); err == nil || !strings.Contains(err.Error(), `unknown key "no_such_property"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what was put is there until it is deleted", func(t *testing.T) { putGetDelete(t, open(t)) })
	t.Run("keys are apart, slashes included", func(t *testing.T) { keys(t, open(t), c.Keys) })
	t.Run("values keep their type", func(t *testing.T) { types(t, open(t), c.TextOnly) })
	t.Run("a value that was read is a copy", func(t *testing.T) { copies(t, open(t), c.TextOnly) })
	t.Run("many may use it at once", func(t *testing.T) { concurrent(t, open(t)) })
}

func want(t *testing.T, s engine.DataStore, key string, value any) {
	t.Helper()
	got, err := s.Get(t.Context(), key)
	if err != nil || !reflect.DeepEqual(got, value) {
		t.Errorf("%s: got %T %#v, %v; want %T %#v", key, got, got, err, value, value)
	}
}

func wantMissing(t *testing.T, s engine.DataStore, key string) {
	t.Helper()
	v, err := s.Get(t.Context(), key)
	if !errors.Is(err, engine.ErrNoKey) {
		t.Errorf("%s: got %v, %v; want an error that wraps ErrNoKey", key, v, err)
		return
	}
	if !strings.Contains(err.Error(), key) {
		t.Errorf("%s: the error does not name the key: %v", key, err)
	}
}

func put(t *testing.T, s engine.DataStore, key string, value any) {
	t.Helper()
	if err := s.Put(t.Context(), key, value); err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func remove(t *testing.T, s engine.DataStore, key string) {
	t.Helper()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Errorf("delete %s: %v", key, err)
	}
}

func putGetDelete(t *testing.T, s engine.DataStore) {
	t.Helper()
	wantMissing(t, s, "suite_key")
	remove(t, s, "suite_key") // a missing key is no error
	put(t, s, "suite_key", "one")
	want(t, s, "suite_key", "one")
	put(t, s, "suite_key", "two")
	want(t, s, "suite_key", "two")
	remove(t, s, "suite_key")
	wantMissing(t, s, "suite_key")
}

func keys(t *testing.T, s engine.DataStore, names []string) {
	t.Helper()
	if names == nil {
		names = []string{"suite_a", "suite_a/b", "suite_a/b/c", "suite_a//b", "suite a", "suite.a", "suite_ä"}
	}
	for _, k := range names {
		put(t, s, k, "of "+k)
	}
	remove(t, s, names[1])
	for _, k := range names {
		if k == names[1] {
			wantMissing(t, s, k)
			continue
		}
		want(t, s, k, "of "+k)
	}
}

func types(t *testing.T, s engine.DataStore, textOnly bool) {
	t.Helper()
	for _, text := range []string{"", "plain", "5", "1.0", "true", "no", "null", "~", "2026-01-02", "two\nlines\n", " blank ", "ünï", "{a: 1}", "- x", "#no"} {
		put(t, s, "suite_text", text)
		want(t, s, "suite_text", text)
	}
	if textOnly {
		for value, text := range map[any]string{5: "5", 1000000.0: "1000000", 1.5: "1.5", true: "true"} {
			put(t, s, "suite_text", value)
			want(t, s, "suite_text", text)
		}
		for _, bad := range []any{nil, []any{"a"}, map[string]any{"a": "b"}} {
			if err := s.Put(t.Context(), "suite_bad", bad); engine.CodeOf(err) != engine.CodeInvalid {
				t.Errorf("%#v: got %v, want a refusal", bad, err)
			}
		}
		return
	}
	deep := map[string]any{"deep": map[string]any{"list": []any{1, 2.5, "x", false}}}
	for _, v := range []any{5, -1, 9007199254740993, 1.5, true, false, nil, []any{}, []any{"a", 1, nil}, map[string]any{}, deep} {
		put(t, s, "suite_value", v)
		want(t, s, "suite_value", v)
	}
}

func copies(t *testing.T, s engine.DataStore, textOnly bool) {
	t.Helper()
	if textOnly {
		return // text cannot be changed
	}
	given := map[string]any{"list": []any{"a"}}
	put(t, s, "suite_value", given)
	given["list"].([]any)[0] = "changed after it was put"
	for range 2 {
		got, err := s.Get(t.Context(), "suite_value")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, map[string]any{"list": []any{"a"}}) {
			t.Fatalf("got %v, want what was put", got)
		}
		got.(map[string]any)["list"].([]any)[0] = "changed after it was read"
	}
}

func concurrent(t *testing.T, s engine.DataStore) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			key := fmt.Sprintf("suite_%d", i)
			put1 := func(v string) {
				if err := s.Put(t.Context(), key, v); err != nil {
					t.Errorf("put %s: %v", key, err)
				}
			}
			put1("first")
			put1(key)
			if err := s.Delete(t.Context(), "suite_shared"); err != nil {
				t.Errorf("delete: %v", err)
			}
			if _, err := s.Get(t.Context(), key); err != nil {
				t.Errorf("get %s: %v", key, err)
			}
		})
	}
	wg.Wait()
	for i := range 8 {
		key := fmt.Sprintf("suite_%d", i)
		want(t, s, key, key)
	}
}
