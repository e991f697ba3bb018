package workspace

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
)

const (
	maxSnippet = 1 << 20 // docs.slack.dev/reference/methods/files.getUploadURLExternal
	maxFile    = 8 << 20 // Slack takes much more, and this memory does not
)

func (c *apiCall) uploadURL() (map[string]any, *apiError) {
	size, err := strconv.Atoi(c.str("length"))
	switch {
	case err != nil || size <= 0: // there are no empty files
		return nil, c.wrong("invalid_arguments", "[ERROR] length must be a positive number")
	case size > maxSnippet && c.str("snippet_type") != "":
		return nil, c.wrong("snippet_too_large")
	case size > maxFile:
		return nil, c.wrong("file_upload_size_restricted")
	}
	id := "F" + secret()
	c.files[id] = &File{ID: id, Name: c.str("filename"), Title: c.str("filename")}
	return map[string]any{"upload_url": c.base + "/upload/" + id, "file_id": id}, nil
}

// serveUpload takes the bytes of a file, as a form or as they are.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFile+1<<10) // a form adds some lines
	data, err := uploaded(r)
	if err != nil {
		http.Error(w, "the file cannot be read", http.StatusRequestEntityTooLarge)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[r.PathValue("id")]
	if f == nil || f.Content != nil {
		http.Error(w, "no such upload", http.StatusNotFound)
		return
	}
	f.Content = data
	w.Header().Set("Content-Type", "text/plain")
	_, _ = fmt.Fprintf(w, "OK - %d", len(data))
}

func uploaded(r *http.Request) ([]byte, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		return io.ReadAll(r.Body)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		if part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
}

// completeUpload shares uploaded files in a message.
func (c *apiCall) completeUpload() (map[string]any, *apiError) {
	list, err := c.uploads()
	if err != nil {
		return nil, err
	}
	key := c.str("channel_id")
	if key == "" {
		key = c.str("channels")
	}
	var parent string
	var ch *Channel
	if key != "" {
		if ch = c.channel(key); ch == nil || !ch.has(c.opts.BotUser.ID) {
			return nil, refuse("channel_not_found") // also where the bot is no member
		}
		if parent, err = c.parent(ch); err != nil {
			return nil, err
		}
	}
	done, out := make([]File, 0, len(list)), make([]any, 0, len(list))
	for _, u := range list {
		if u.title != "" {
			u.file.Title = u.title
		}
		done, out = append(done, *u.file), append(out, c.wireFile(u.file))
	}
	if ch != nil {
		c.store(&Message{Channel: ch.ID, User: c.opts.BotUser.ID, Text: c.str("initial_comment"), Files: done, ThreadTS: parent})
	}
	return map[string]any{"files": out}, nil
}

// upload is a file that is there, with its new title.
type upload struct {
	file  *File
	title string
}

func (c *apiCall) uploads() ([]upload, *apiError) {
	decoded, ok := c.decoded("files")
	list, isList := decoded.([]any)
	if !ok || !isList || len(list) == 0 {
		return nil, c.wrong("invalid_arguments", "[ERROR] files must be a list of objects with an id")
	}
	out := make([]upload, 0, len(list))
	for _, item := range list {
		entry, _ := item.(map[string]any)
		id, _ := entry["id"].(string)
		title, _ := entry["title"].(string)
		f := c.files[id]
		if f == nil || len(f.Content) == 0 {
			return nil, refuse("file_not_found")
		}
		out = append(out, upload{f, title})
	}
	return out, nil
}

func (s *Server) wireFile(f *File) map[string]any {
	return map[string]any{"id": f.ID, "name": f.Name, "title": f.Title, "size": len(f.Content), "mode": "snippet"}
}

func (c *apiCall) filesInfo() (map[string]any, *apiError) {
	f := c.files[c.str("file")]
	if f == nil {
		return nil, refuse("file_not_found")
	}
	return map[string]any{"file": c.wireFile(f)}, nil
}
