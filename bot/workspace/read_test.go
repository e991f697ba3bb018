package workspace_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/playbot/playbot/bot/workspace"
)

func TestLists_comeInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) { o.Scopes = append(workspace.DefaultScopes(), "channels:history") })
	users, err := w.api.GetUsersContext(t.Context(), slack.GetUsersOptionLimit(1))
	if err != nil || len(users) != 4 {
		t.Errorf("users in pages of one: %d, %v", len(users), err)
	}
	var names []string
	ops, _, err := w.api.GetConversationsContext(t.Context(), &slack.GetConversationsParameters{Types: []string{"im", "private_channel"}})
	if err != nil || len(ops) != 0 {
		t.Errorf("neither direct nor private: %v, %v", ops, err)
	}
	w.ArchiveChannel("random")
	if live, _, err := w.api.GetConversationsContext(t.Context(), &slack.GetConversationsParameters{ExcludeArchived: true}); err != nil || len(live) != 2 {
		t.Errorf("without the archived one: %v, %v", live, err)
	}
	for cursor := ""; ; {
		page, next, err := w.api.GetConversationsContext(t.Context(), &slack.GetConversationsParameters{Limit: 2, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			names = append(names, c.Name)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if !slices.Equal(names, []string{"deploys", "ops", "random"}) {
		t.Errorf("channels in pages of two: %q", names)
	}
	parent := w.post(slack.MsgOptionText("0", false))
	for _, n := range []string{"1", "2", "3", "4"} {
		w.post(slack.MsgOptionText(n, false), slack.MsgOptionTS(parent))
	}
	var replies []string
	for cursor := ""; ; {
		page, more, next, err := w.api.GetConversationRepliesContext(t.Context(), &slack.GetConversationRepliesParameters{ChannelID: "C0DEPLOYS", Timestamp: parent, Limit: 2, Cursor: cursor})
		if err != nil || more != (next != "") {
			t.Fatalf("more %v, next %q, %v", more, next, err)
		}
		for _, m := range page {
			replies = append(replies, m.Text)
		}
		if cursor = next; next == "" {
			break
		}
	}
	if strings.Join(replies, "") != "01234" {
		t.Errorf("replies in pages of two: %q", replies)
	}
	history, err := w.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: "C0DEPLOYS", Oldest: parent})
	if err != nil || len(history.Messages) != 0 {
		t.Errorf("after the parent: %+v, %v", history, err)
	}
	history, err = w.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: "C0DEPLOYS", Oldest: parent, Inclusive: true})
	if err != nil || len(history.Messages) != 1 || history.Messages[0].ReplyCount != 4 {
		t.Errorf("from the parent on: %+v, %v", history, err)
	}
	w.noViolations()
}

func TestPeople_areWhoTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) {
		o.Groups = []workspace.Group{{ID: "S1", Handle: "sre", Users: []string{"U0BEN"}}, {ID: "S2", Handle: "old", Users: []string{"U0ANA"}, Disabled: true}}
	})
	gus, err := w.api.GetUserInfoContext(t.Context(), "U0GUS")
	if err != nil || !gus.IsRestricted || gus.Deleted || gus.TZ != "America/New_York" || gus.TeamID != "T0PLAYBOT" {
		t.Errorf("gus is %+v, %v", gus, err)
	}
	w.SetUser(workspace.User{ID: "U0GUS", Name: "gus", Deleted: true})
	w.SetUser(workspace.User{ID: "U0EVE", Name: "eve", Stranger: true, TeamID: "T9"})
	gus, _ = w.api.GetUserInfoContext(t.Context(), "U0GUS")
	eve, _ := w.api.GetUserInfoContext(t.Context(), "U0EVE")
	if !gus.Deleted || !eve.IsStranger || eve.TeamID != "T9" {
		t.Errorf("gus is %+v, eve %+v", gus, eve)
	}
	groups, err := w.api.GetUserGroupsContext(t.Context(), slack.GetUserGroupsOptionIncludeUsers(true))
	if err != nil || len(groups) != 1 || groups[0].Handle != "sre" || !slices.Equal(groups[0].Users, []string{"U0BEN"}) {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	for id, want := range map[string]int{"S1": 1, "S2": 0} {
		if got, err := w.api.GetUserGroupMembersContext(t.Context(), id); err != nil || len(got) != want {
			t.Errorf("%s has %v, %v", id, got, err)
		}
	}
	members, _, err := w.api.GetUsersInConversationContext(t.Context(), &slack.GetUsersInConversationParameters{ChannelID: "C0RANDOM"})
	if err != nil || !slices.Equal(members, []string{"U0ANA", "U0BEN", "U0GUS"}) {
		t.Errorf("members of random: %v, %v", members, err)
	}
	dm, _, _, err := w.api.OpenConversationContext(t.Context(), &slack.OpenConversationParameters{Users: []string{"U0ANA"}})
	if err != nil || !dm.IsIM {
		t.Errorf("the direct conversation is %+v, %v", dm, err)
	}
	ops, err := w.api.GetConversationInfoContext(t.Context(), &slack.GetConversationInfoInput{ChannelID: "C0OPS"})
	if err != nil || !ops.IsMember || ops.Topic.Value != "The ops room" {
		t.Errorf("ops is %+v, %v", ops, err)
	}
}

func TestFiles_areUploadedIntoAThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *workspace.Options) {
		o.Scopes = append(workspace.DefaultScopes(), "files:read", "channels:history")
	})
	parent := w.post(slack.MsgOptionText("card", false))
	log := strings.Repeat("line\n", 1000)
	up := slack.UploadFileParameters{
		Filename: "step.log", Title: "Log of step 1", FileSize: len(log), Content: log, Channel: "C0DEPLOYS", ThreadTimestamp: parent, InitialComment: "the whole log",
	}
	done, err := w.api.UploadFileContext(t.Context(), up)
	if err != nil {
		t.Fatal(err)
	}
	thread := w.Thread("ana", channel, parent)
	if len(thread) != 2 || thread[1].Text != "the whole log" || len(thread[1].Files) != 1 {
		t.Fatalf("the thread is %+v", thread)
	}
	if f := thread[1].Files[0]; f.Name != "step.log" || f.Title != "Log of step 1" || string(f.Content) != log {
		t.Errorf("the file is %q, %q, %d bytes", f.Name, f.Title, len(f.Content))
	}
	if info, _, _, err := w.api.GetFileInfoContext(t.Context(), done.ID, 0, 0); err != nil || info.Size != len(log) {
		t.Errorf("files.info: %+v, %v", info, err)
	}
	up.Channel = "C0RANDOM"
	if _, err := w.api.UploadFileContext(t.Context(), up); err == nil || !strings.Contains(err.Error(), "channel_not_found") {
		t.Errorf("an upload where the bot is not: %v", err)
	}
	status, _, _ := w.send(w.URL()+"/upload/F1", "", "text/plain", "x")
	if status != 404 {
		t.Errorf("an upload that nobody asked for got %d", status)
	}
	w.noViolations()
}
