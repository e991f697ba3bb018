package workspace

import (
	"crypto/subtle"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

//go:embed page
var pageFiles embed.FS

// pagePolicy lets the page load its own files and talk to its own server, and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// routePage serves the page below the secret of its address.
func (s *Server) routePage(mux *http.ServeMux) {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		s.opts.Logger.Error("page is missing", "error", err) // cannot happen: the files are in the binary
		return
	}
	static := http.FileServerFS(files)
	mux.Handle("GET /{token}/", s.guarded(func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/"+r.PathValue("token"), static).ServeHTTP(w, r)
	}))
	reads := map[string]func(*http.Request) (any, error){
		"state": s.pageState, "messages": s.pageMessages, "thread": s.pageThread, "home": s.pageHome,
	}
	for name, read := range reads {
		mux.Handle("GET /{token}/api/"+name, s.guarded(func(w http.ResponseWriter, r *http.Request) {
			out, err := read(r)
			writePage(w, out, err)
		}))
	}
	acts := map[string]func(*http.Request, pageAct) (any, error){
		"say": s.pageSay, "act": s.pagePress, "submit": s.pageSubmit, "close": s.pageClose,
		"options": s.pageOptions, "open_home": s.pageOpenHome, "shortcut": s.pageShortcut,
	}
	for name, act := range acts {
		mux.Handle("POST /{token}/api/"+name, s.guarded(func(w http.ResponseWriter, r *http.Request) {
			var in pageAct
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
				writePage(w, nil, fmt.Errorf("read the request: %w", err))
				return
			}
			out, err := act(r, in)
			writePage(w, out, err)
		}))
	}
	mux.Handle("GET /{token}/api/stream", s.guarded(s.pageStream))
}

// guarded lets only those in who know the secret of the address, and only pages of this server: a
// page of somebody else must not act here, whatever name it has made a browser resolve to us.
func (s *Server) guarded(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.PathValue("token")), []byte(s.opts.PageToken)) != 1 {
			http.NotFound(w, r)
			return
		}
		host := strings.TrimPrefix(s.URL(), "http://")
		origin := r.Header.Get("Origin")
		if r.Host != host && r.Host != localhost(host) || origin != "" && origin != "http://"+r.Host {
			http.Error(w, "this page is only for this machine", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next(w, r)
	})
}

// localhost is the same address by that name.
func localhost(host string) string {
	u := url.URL{Host: host}
	return "localhost:" + u.Port()
}

func writePage(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if err != nil {
		out = map[string]any{"ok": false, "error": err.Error()}
	} else if out == nil {
		out = map[string]any{"ok": true}
	}
	_ = json.NewEncoder(w).Encode(out) // the browser is gone if it fails
}
