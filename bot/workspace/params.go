package workspace

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// maxBody bounds a request of the Web API.
const maxBody = 4 << 20

// readParams reads form, JSON or query parameters; form values stay text. It returns them, the same
// as text for the traffic, and the name of Slack's error when they cannot be read; then the text says why.
func readParams(w http.ResponseWriter, r *http.Request) (map[string]any, string, string) {
	params := map[string]any{}
	for k, v := range r.URL.Query() {
		params[k] = v[0]
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err.Error(), "request_timeout" // "the POST data was either missing or truncated"
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	malformed := ""
	switch kind {
	case "application/json":
		malformed = jsonParams(raw, params)
	case "application/x-www-form-urlencoded", "multipart/form-data":
		malformed = formParams(r, raw, params)
	case "", "text/plain":
		if len(raw) > 0 && kind == "" {
			malformed = "missing_post_type"
		}
	default:
		malformed = "invalid_post_type"
	}
	shown := make(map[string]any, len(params))
	for k, v := range params {
		if k != "token" {
			shown[k] = v
		}
	}
	text, _ := json.Marshal(shown)
	return params, string(text), malformed
}

func jsonParams(raw []byte, params map[string]any) string {
	if len(raw) == 0 {
		return ""
	}
	var body any
	if json.Unmarshal(raw, &body) != nil {
		return "invalid_json"
	}
	object, ok := body.(map[string]any)
	if !ok {
		return "json_not_object"
	}
	maps.Copy(params, object)
	return ""
}

func formParams(r *http.Request, raw []byte, params map[string]any) string {
	r.Body = io.NopCloser(strings.NewReader(string(raw)))
	// In this order: ParseMultipartForm says nothing of a broken form that is not multipart.
	err := r.ParseForm()
	if err == nil {
		err = r.ParseMultipartForm(maxBody)
	}
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return "invalid_form_data"
	}
	for k, v := range r.Form {
		params[k] = v[0]
	}
	return ""
}

// str is a parameter as text.
func (c *apiCall) str(key string) string {
	switch v := c.params[key].(type) {
	case string:
		return v
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		b, _ := json.Marshal(v)
		return string(b)
	}
}

// decoded is a parameter that holds JSON, or is JSON already.
func (c *apiCall) decoded(key string) (any, bool) {
	v, ok := c.params[key]
	if !ok || v == "" {
		return nil, true
	}
	if s, isText := v.(string); isText {
		if err := json.Unmarshal([]byte(s), &v); err != nil {
			return nil, false
		}
	}
	return v, true
}

// flag is a parameter that is true; forms say it in two ways.
func (c *apiCall) flag(key string) bool { return c.str(key) == "true" || c.str(key) == "1" }
