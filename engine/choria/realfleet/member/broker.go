package member

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/choria-io/go-choria/broker/network"
	gochoria "github.com/choria-io/go-choria/choria"
	"github.com/sirupsen/logrus"
)

// Listening is a hook for the logger of a broker, which has no other way to say on which port it listens.
type Listening chan string

// NewListening makes one, for one broker.
func NewListening() Listening { return make(Listening, 1) }

// Levels implements [logrus.Hook].
func (Listening) Levels() []logrus.Level { return logrus.AllLevels }

// Fire implements [logrus.Hook].
func (l Listening) Fire(e *logrus.Entry) error {
	if address, ok := strings.CutPrefix(e.Message, "Listening for client connections on "); ok {
		select {
		case l <- address:
		default:
		}
	}
	return nil
}

// StartBroker starts a broker whose logger has the hook, and returns the URL that it serves and a function that stops
// it. It runs until then, whatever becomes of ctx.
func StartBroker(ctx context.Context, fw *gochoria.Framework, heard Listening) (url string, stop func(), err error) {
	broker, err := network.NewServer(fw, fw.BuildInfo(), false)
	if err != nil {
		return "", nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Add(1)
	go broker.Start(running, &wg)
	stop = func() { cancel(); wg.Wait() }
	select {
	case address := <-heard:
		return "tls://" + address, stop, nil
	case <-ctx.Done():
		stop()
		return "", nil, fmt.Errorf("it does not listen: %w", context.Cause(ctx))
	}
}
