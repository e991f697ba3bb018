package bot

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

func TestAck_isSentWhileClosingAndNotOnAConnectionThatEnded(t *testing.T) {
	t.Parallel()
	for _, closing := range []bool{true, false} {
		got, hang := make(chan string, 1), make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			up := websocket.Upgrader{}
			ws, err := up.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer func() { _ = ws.Close() }()
			if !closing {
				return
			}
			_, raw, _ := ws.ReadMessage()
			got <- string(raw)
			<-hang
		}))
		dialer := websocket.Dialer{NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return timed(c), err
		}}
		ws, resp, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		l := &link{ws: ws, leaving: make(chan struct{}), gone: make(chan struct{})}
		if closing {
			l.stopReading()
		}
		_ = l.read(func(frame) {}, func(string, greeting) {})
		err = l.ack("E1", nil)
		if closing && (err != nil || !strings.Contains(<-got, "E1")) || !closing && !errors.Is(err, errGone) {
			t.Errorf("closing %v: %v", closing, err)
		}
		close(hang)
		l.close()
		srv.Close()
	}
}
