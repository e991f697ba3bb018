package ratio_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria/internal/wire"
)

// clientEnv names the kind of client and its site: then this program is no test.
const clientEnv = "PLAYBOT_RATIO_CLIENT"

func TestMain(m *testing.M) {
	how := os.Getenv(clientEnv)
	if how == "" {
		m.Run()
		return
	}
	if err := serve(how, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// how a client is started.
type how struct {
	Kind string
	Site site
}

// order is what a client is told to do: calls, one after the other or by several callers at once, each of which has
// nodes of its own.
type order struct{ Nodes, Callers, Calls int }

// done is what came of it.
type done struct {
	Calls   []time.Duration // how long each took
	Took    time.Duration   // all together
	CPU     time.Duration   // of this process
	PeakKiB int             // the most memory that this process has had
	Error   string
}

// serve is a client: it follows orders until there are no more.
func serve(text string, in io.Reader, out io.Writer) error {
	var h how
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return err
	}
	ctx := context.Background()
	c, err := newCaller(ctx, h.Kind, h.Site)
	if err != nil {
		return fmt.Errorf("%s: %w", h.Kind, err)
	}
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := answers.Encode(follow(ctx, c, o)); err != nil {
			return err
		}
	}
}

func follow(ctx context.Context, c caller, o order) done {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names := nodeNames(o.Callers * o.Nodes)
	var mu sync.Mutex // guards d
	var d done
	var wg sync.WaitGroup
	cpu, began := processorTime(), time.Now()
	for i := range o.Callers {
		wg.Go(func() {
			mine := names[i*o.Nodes : (i+1)*o.Nodes]
			for range o.Calls {
				began := time.Now()
				n, err := c.call(ctx, mine)
				took := time.Since(began)
				mu.Lock()
				if d.Calls = append(d.Calls, took); err != nil || n != o.Nodes {
					d.Error = fmt.Sprintf("%d of %d nodes answered: %v", n, o.Nodes, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	d.Took, d.CPU, d.PeakKiB = time.Since(began), processorTime()-cpu, peakKiB()
	return d
}

// processorTime of this process so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakKiB is VmHWM, which only Linux tells; elsewhere 0. Not the maximum of getrusage, in which the parent counts.
func peakKiB() int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			return n
		}
	}
	return 0
}

// process is a client in a process of its own.
type process struct {
	kind    string
	orders  *json.Encoder
	answers *json.Decoder
}

// start starts a client, which ends with the test.
func start(tb testing.TB, kind string, s site) *process {
	tb.Helper()
	text, err := json.Marshal(how{Kind: kind, Site: s})
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), os.Args[0]) // ourselves
	cmd.Env = append(os.Environ(), clientEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait()
	})
	return &process{kind: kind, orders: json.NewEncoder(in), answers: json.NewDecoder(bufio.NewReader(out))}
}

// do has the client follow an order. A node that does not answer ends the test: the clients would not be compared.
func (p *process) do(tb testing.TB, o order) done {
	tb.Helper()
	var d done
	if err := errors.Join(p.orders.Encode(o), p.answers.Decode(&d)); err != nil {
		tb.Fatalf("%s: %v", p.kind, err)
	}
	if d.Error != "" {
		tb.Fatalf("%s: %s", p.kind, d.Error)
	}
	return d
}

// at is the value that this share of the list does not exceed.
func at[T cmp.Ordered](share float64, list []T) T {
	slices.Sort(list)
	return list[min(len(list)-1, int(share*float64(len(list))))]
}

func median[T cmp.Ordered](list []T) T { return at(0.5, list) }

func newSigner(s site) (wire.RSA, error) {
	pair, err := tls.LoadX509KeyPair(s.Cert, s.Key)
	if err != nil {
		return wire.RSA{}, err
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return wire.RSA{}, fmt.Errorf("%s is no RSA key", s.Key)
	}
	return wire.RSA{Key: key, Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))}, nil
}
