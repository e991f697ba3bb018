package workspace

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a method needs instead of a scope.
const (
	anyToken = ""     // the bot token
	appToken = "app"  // the app-level token
	noToken  = "none" // nothing at all
)

// seeing are the scopes that let a bot see conversations, one for each kind of them. Which one is needed
// depends on what is asked for.
const seeing = "channels:read groups:read im:read"

// reading are the scopes that let a bot read what stands in conversations, one for each kind of them.
const reading = "channels:history groups:history im:history"

// apiError is an error of the Web API.
type apiError struct {
	name     string
	messages []string
	needed   string // the scope that is missing
	provided string // the scopes that were granted
	wait     time.Duration
}

// refuse is an answer that depends on the state of the workspace; a bot has to live with those.
func refuse(name string) *apiError { return &apiError{name: name} }

// apiMethod is a method of the Web API.
type apiMethod struct {
	scope string // needed, any one of these words; or anyToken, appToken, noToken
	tier  int    // calls a minute; 0: not limited
	needs string // the parameters that may not be missing
	do    func(*apiCall) (map[string]any, *apiError)
}

// apiCall is one call, its parameters brought into one form. The lock of the server is held.
type apiCall struct {
	*Server
	method string
	params map[string]any
	raw    string
}

// apiMethods lists what the workspace knows: docs.slack.dev/reference/methods, each method's own page.
func apiMethods() map[string]apiMethod {
	return map[string]apiMethod{
		"api.test":                     {noToken, 0, "", (*apiCall).apiTest},
		"auth.test":                    {anyToken, 0, "", (*apiCall).authTest},
		"apps.connections.open":        {appToken, 50, "", (*apiCall).connectionsOpen},
		"bots.info":                    {"users:read", 50, "", (*apiCall).botsInfo},
		"team.info":                    {"team:read", 50, "", (*apiCall).teamInfo},
		"chat.postMessage":             {"chat:write", 0, "channel", (*apiCall).postMessage},
		"chat.postEphemeral":           {"chat:write", 100, "channel user", (*apiCall).postEphemeral},
		"chat.update":                  {"chat:write", 50, "channel ts", (*apiCall).update},
		"chat.delete":                  {"chat:write", 50, "channel ts", (*apiCall).deleteMessage},
		"chat.getPermalink":            {anyToken, 0, "channel message_ts", (*apiCall).permalink},
		"conversations.info":           {seeing, 50, "channel", (*apiCall).conversationsInfo},
		"conversations.list":           {seeing, 20, "", (*apiCall).conversationsList},
		"conversations.members":        {seeing, 100, "channel", (*apiCall).conversationsMembers},
		"conversations.open":           {"im:write", 50, "users", (*apiCall).conversationsOpen},
		"conversations.history":        {reading, 50, "channel", (*apiCall).conversationsHistory},
		"conversations.replies":        {reading, 50, "channel ts", (*apiCall).conversationsReplies},
		"users.info":                   {"users:read", 100, "user", (*apiCall).usersInfo},
		"users.list":                   {"users:read", 20, "", (*apiCall).usersList},
		"usergroups.list":              {"usergroups:read", 20, "", (*apiCall).userGroups},
		"usergroups.users.list":        {"usergroups:read", 20, "usergroup", (*apiCall).userGroupUsers},
		"views.open":                   {anyToken, 100, "trigger_id view", (*apiCall).viewsOpen},
		"views.push":                   {anyToken, 100, "trigger_id view", (*apiCall).viewsPush},
		"views.update":                 {anyToken, 100, "view", (*apiCall).viewsUpdate},
		"views.publish":                {anyToken, 100, "user_id view", (*apiCall).viewsPublish},
		"files.getUploadURLExternal":   {"files:write", 100, "filename length", (*apiCall).uploadURL},
		"files.completeUploadExternal": {"files:write", 100, "files", (*apiCall).completeUpload},
		"files.info":                   {"files:read", 100, "file", (*apiCall).filesInfo},
		"reactions.add":                {"reactions:write", 50, "channel timestamp name", (*apiCall).reactionsAdd},
		"reactions.remove":             {"reactions:write", 20, "channel timestamp name", (*apiCall).reactionsRemove},
	}
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	params, raw, malformed := readParams(w, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if malformed != "" {
		s.note(name, raw, malformed)
		var why []string
		if params == nil {
			why = []string{raw}
		}
		s.violate(name, malformed, why)
		answer(w, nil, refuse(malformed))
		return
	}
	token, _ := params["token"].(string)
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	delete(params, "token")
	if f := s.takeFault(name); f != nil {
		if f.after {
			s.call(name, token, params, raw)
		}
		f.answer(w)
		s.noted(Traffic{Method: name, Body: raw, Error: "fault", Wait: time.Duration(f.retry) * time.Second})
		return
	}
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.opts.Scopes, ","))
	result, refused := s.call(name, token, params, raw)
	answer(w, result, refused)
}

// call carries a call out. The caller holds the lock.
func (s *Server) call(name, token string, params map[string]any, raw string) (map[string]any, *apiError) {
	result, err := s.perform(name, token, params, raw)
	line := Traffic{Method: name, Body: raw}
	if err != nil {
		line.Error = err.name
		line.Wait = (err.wait + time.Second - 1).Truncate(time.Second) // as the answer says it
	}
	s.noted(line)
	return result, err
}

func (s *Server) perform(name, token string, params map[string]any, raw string) (map[string]any, *apiError) {
	c := &apiCall{Server: s, method: name, params: params, raw: raw}
	m, known := s.methods[name]
	if !known {
		return nil, c.wrong("unknown_method")
	}
	if err := s.authorize(m, token); err != nil {
		return nil, err
	}
	if wait := s.limited(name, m, params); wait > 0 {
		return nil, &apiError{name: "ratelimited", wait: wait}
	}
	var missing []string
	for key := range strings.FieldsSeq(m.needs) {
		if c.str(key) == "" {
			missing = append(missing, "[ERROR] missing required field: "+key)
		}
	}
	if missing != nil {
		return nil, c.wrong("invalid_arguments", missing...)
	}
	return m.do(c)
}

func (s *Server) authorize(m apiMethod, token string) *apiError {
	switch {
	case m.scope == noToken:
		return nil
	case token == "":
		return refuse("not_authed")
	case m.scope == appToken && token == s.opts.BotToken, m.scope != appToken && token == s.opts.AppToken:
		return refuse("not_allowed_token_type")
	case token != s.opts.BotToken && token != s.opts.AppToken:
		return refuse("invalid_auth")
	case m.scope != anyToken && m.scope != appToken && !slices.ContainsFunc(strings.Fields(m.scope), s.granted):
		return s.missing(strings.Fields(m.scope)...)
	}
	return nil
}

// granted reports whether the bot token has a scope.
func (s *Server) granted(scope string) bool { return slices.Contains(s.opts.Scopes, scope) }

// missing refuses a call for want of a scope.
func (s *Server) missing(needed ...string) *apiError {
	return &apiError{name: "missing_scope", needed: strings.Join(needed, ","), provided: strings.Join(s.opts.Scopes, ",")}
}

// wrong refuses what is wrong in itself, whatever the state of the workspace, and remembers it.
func (c *apiCall) wrong(name string, messages ...string) *apiError {
	c.violate(c.method, name, messages)
	return &apiError{name: name, messages: messages}
}

// violate keeps what Slack would have refused. The caller holds the lock.
func (s *Server) violate(method, name string, details []string) {
	s.violations = append(s.violations, Violation{Method: method, Error: name, Details: details})
	s.wake()
	s.opts.Logger.Warn("refused as Slack would", "method", method, "error", name, "details", details)
}

func answer(w http.ResponseWriter, result map[string]any, refused *apiError) {
	out := map[string]any{"ok": refused == nil}
	maps.Copy(out, result)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if refused != nil {
		out["error"] = refused.name
		if len(refused.messages) > 0 {
			out["response_metadata"] = map[string]any{"messages": refused.messages}
			out["errors"] = refused.messages
		}
		if refused.name == "missing_scope" {
			out["needed"], out["provided"] = refused.needed, refused.provided
		}
		if refused.wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((refused.wait+time.Second-1)/time.Second)))
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	_ = json.NewEncoder(w).Encode(out) // the client is gone if it fails
}
