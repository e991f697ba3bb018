package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/playbot/playbot/engine"
	"github.com/playbot/playbot/store"
)

func TestFind_servesEveryFilterNewestFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openAt(t, newPath(t))
		defer closeStore(t, s)
		var runs []engine.RunID
		begin := time.Now()
		for i := range 12 { // run i: one a minute; playbooks in turn, users by half, every third has ended
			playbook, user := "deploy", "U1"
			if i%2 == 1 {
				playbook = "deploy_web"
			}
			if i >= 6 {
				user = "U2"
			}
			run := start(t, s, playbook, user, "")
			if i%3 == 0 {
				appendTo(t, s, run.Stream(), engine.RunEnded{Status: engine.RunSuccess})
			}
			runs = append(runs, run)
			time.Sleep(time.Minute)
		}
		for name, tc := range map[string]struct {
			query engine.HistoryQuery
			want  []int
		}{
			"all":                 {engine.HistoryQuery{}, []int{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
			"limit":               {engine.HistoryQuery{Limit: 2}, []int{11, 10}},
			"before":              {engine.HistoryQuery{Before: runs[2]}, []int{1, 0}},
			"before the first":    {engine.HistoryQuery{Before: runs[0]}, nil},
			"limit and before":    {engine.HistoryQuery{Limit: 2, Before: runs[9]}, []int{8, 7}},
			"playbook":            {engine.HistoryQuery{Playbook: "deploy"}, []int{10, 8, 6, 4, 2, 0}},
			"longer name":         {engine.HistoryQuery{Playbook: "deploy_web"}, []int{11, 9, 7, 5, 3, 1}},
			"beginning of a name": {engine.HistoryQuery{Playbook: "dep"}, nil},
			"user":                {engine.HistoryQuery{User: "U1"}, []int{5, 4, 3, 2, 1, 0}},
			"status":              {engine.HistoryQuery{Status: engine.RunSuccess}, []int{9, 6, 3, 0}},
			"open":                {engine.HistoryQuery{Status: engine.RunPreparing, Limit: 3}, []int{11, 10, 8}},
			"no such status":      {engine.HistoryQuery{Status: engine.RunFailed}, nil},
			"since":               {engine.HistoryQuery{Since: begin.Add(9 * time.Minute)}, []int{11, 10, 9}},
			"since and playbook":  {engine.HistoryQuery{Since: begin.Add(7 * time.Minute), Playbook: "deploy"}, []int{10, 8}},
			"user and playbook":   {engine.HistoryQuery{User: "U2", Playbook: "deploy_web"}, []int{11, 9, 7}},
			"status and user":     {engine.HistoryQuery{Status: engine.RunSuccess, User: "U1"}, []int{3, 0}},
			"all at once": {engine.HistoryQuery{
				Status: engine.RunSuccess, User: "U1", Playbook: "deploy", Since: begin, Before: runs[5], Limit: 1,
			}, []int{0}},
		} {
			got, err := s.Find(t.Context(), tc.query)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var want []engine.RunID
			for _, i := range tc.want {
				want = append(want, runs[i])
			}
			if ids := idsOf(got); !slices.Equal(ids, want) {
				t.Errorf("%s: got %v, want %v", name, ids, want)
			}
		}
	})
}

func TestFind_givesTwentyUnlessAskedAndPagesToTheEnd(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	const n = 600 // more than two pages of the store
	want := make([]engine.RunID, n)
	for i := range want {
		want[n-1-i] = engine.NewRunID(time.UnixMilli(int64(1_700_000_000_000 + i)))
	}
	wide := engine.RunRequested{Actor: engine.Actor{User: "U1"}, Playbook: engine.PlaybookRef{Name: "deploy"}}
	for i, run := range want {
		if i%100 == 99 {
			wide.Actor.User = "rare"
		} else {
			wide.Actor.User = "U1"
		}
		appendTo(t, s, run.Stream(), wide)
	}
	if got := find(t, s, engine.HistoryQuery{}); !slices.Equal(got, want[:20]) {
		t.Errorf("got %d runs, want the newest 20", len(got))
	}
	var got []engine.RunID
	for page := want; len(page) > 0; got = append(got, page...) {
		q := engine.HistoryQuery{Limit: 70}
		if len(got) > 0 {
			q.Before = got[len(got)-1]
		}
		page = find(t, s, q)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages have %d runs, want %d in order", len(got), n)
	}
	// Two filters, of which the index serves one: the search goes on over its pages.
	rare := find(t, s, engine.HistoryQuery{Playbook: "deploy", User: "rare"})
	if !slices.Equal(rare, []engine.RunID{want[99], want[199], want[299], want[399], want[499], want[599]}) {
		t.Errorf("got %v, want every hundredth", rare)
	}
}

func TestFind_followsARunThroughItsStates(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	run := start(t, s, "deploy", "U1", "")
	for _, step := range []struct {
		fact engine.Payload
		want engine.RunStatus
	}{
		{engine.LocksTaken{}, engine.RunPreparing},
		{engine.Prepared{}, engine.RunRunning},
		{engine.ApprovalAsked{}, engine.RunWaiting},
		{engine.ApprovalGiven{}, engine.RunRunning},
		{engine.RunEnded{Status: engine.RunFailed}, engine.RunFailed},
		{engine.Announced{}, engine.RunFailed},
	} {
		appendTo(t, s, run.Stream(), step.fact)
		for _, status := range []engine.RunStatus{
			engine.RunPreparing, engine.RunRunning, engine.RunWaiting, engine.RunSuccess, engine.RunFailed, engine.RunCancelled,
		} {
			got := find(t, s, engine.HistoryQuery{Status: status})
			if found := slices.Contains(got, run); found != (status == step.want) {
				t.Errorf("after %s: found as %s: %v, want only as %s", step.fact.Kind(), status, found, step.want)
			}
		}
	}
}

func TestSummary_isTheFoldOfTheEvents(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	run := newRun()
	appendTo(t, s, run.Stream(), requested("deploy", "U1", "k"), engine.Prepared{})
	appendTo(t, s, run.Stream(), engine.TaskBegun{Description: "restart"}, engine.AttemptEnded{Result: engine.Result{Child: "c"}}, engine.TaskEnded{})
	appendTo(t, s, run.Stream(), engine.RunEnded{Status: engine.RunSuccess, Message: "done"})
	var want engine.Summary
	for e, err := range s.Read(t.Context(), run.Stream()) {
		if err != nil {
			t.Fatal(err)
		}
		want.Apply(e)
	}
	got, err := s.Summary(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	if got.Step != "restart" || got.Steps != 1 || got.Ended.IsZero() || len(got.Children) != 1 {
		t.Errorf("the summary lacks something: %+v", got)
	}
}

func TestSummary_ofAnUnknownRunIsNotFound(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	start(t, s, "deploy", "U1", "")
	appendTo(t, s, engine.RunID("NEVER").Stream(), engine.Announced{}) // does not make a run
	for _, id := range []engine.RunID{newRun(), "NEVER", "X"} {
		_, err := s.Summary(t.Context(), id)
		wantCode(t, err, engine.CodeNotFound)
	}
	if got := find(t, s, engine.HistoryQuery{}); len(got) != 1 {
		t.Errorf("got the runs %v, want one", got)
	}
}

func TestLookup_resolvesWhatPeopleType(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	const (
		a = engine.RunID("01HF0000000000000000ABCDEF")
		b = engine.RunID("01HF0000010000000000ABCDXX")
		c = engine.RunID("01HG0000000000000000ZZZZZZ")
	)
	for _, id := range []engine.RunID{c, a, b} {
		appendTo(t, s, id.Stream(), requested("deploy", "U1", ""))
	}
	for typed, want := range map[string][]engine.RunID{
		"r-abcdef":                   {a},
		"abcdef":                     {a},
		"R-ABCDEF":                   {a},
		"abcde":                      {a},
		"r-abcd":                     {b, a},
		"zzzz":                       {c},
		"01HF0000000000000000ABCDEF": {a},
		"01hf0000000000000000abcdef": {a},
		"01hf":                       {b, a},
		"01hf000001":                 {b},
		"r-abcdefg":                  nil,
		"bcde":                       nil,
		"r-none":                     nil,
	} {
		got, err := s.Lookup(t.Context(), typed)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %v and %v, want %v", typed, got, err, want)
		}
	}
	for _, typed := range []string{"", "r-", "abc", "r-abc"} {
		_, err := s.Lookup(t.Context(), typed)
		wantCode(t, err, engine.CodeInvalid)
	}
}

func TestLookup_givesAtMostTen(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t))
	var want []engine.RunID
	for _, c := range "0123456789ABCDEF" {
		id := engine.RunID("01HF00000" + string(c) + strings.Repeat("0", 10) + "ABCDEF")
		appendTo(t, s, id.Stream(), requested("deploy", "U1", ""))
		want = append(want, id)
	}
	slices.Reverse(want)
	if got, err := s.Lookup(t.Context(), "r-abcdef"); err != nil || !slices.Equal(got, want[:10]) {
		t.Errorf("got %v and %v, want the newest ten", got, err)
	}
}

func find(t *testing.T, s *store.Store, q engine.HistoryQuery) []engine.RunID {
	t.Helper()
	got, err := s.Find(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return idsOf(got)
}

func idsOf(sums []engine.Summary) []engine.RunID {
	var ids []engine.RunID
	for _, s := range sums {
		ids = append(ids, s.Run)
	}
	return ids
}

func wantCode(t *testing.T, err error, want engine.Code) {
	t.Helper()
	var coded *engine.Error
	if !errors.As(err, &coded) || coded.Code != want {
		t.Errorf("got %v, want an error with the code %s", err, want)
	}
}
