package choria_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"
	"time"

	"github.com/playbot/playbot/engine/choria"
	"github.com/playbot/playbot/engine/choria/fleetsim"
)

// BenchmarkCall_signed asks 1,000 nodes that sign their replies, and compares with checking as many signatures one
// after the other, and nothing else. The nodes are in the same process and sign meanwhile, each reply anew.
func BenchmarkCall_signed(b *testing.B) {
	tokens, err := fleetsim.NewTokens(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	f, err := fleetsim.Start(b.Context(), fleetsim.Options{Nodes: fleetsim.Plain(benchNodes), Tokens: tokens})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.Stop)
	token, seed, err := tokens.Client(botCaller, fleetsim.May{Ask: true})
	if err != nil {
		b.Fatal(err)
	}
	c, err := choria.Connect(b.Context(), choria.Options{InProcess: f, Token: token, Seed: seed, Issuers: tokens.Issuers()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	names := cannedNodes(benchNodes)
	if _, err := c.Call(b.Context(), ping(names...)); err != nil { // the nodes make their tokens
		b.Fatal(err)
	}
	var ours, alone []time.Duration
	for b.Loop() {
		began := time.Now()
		res, err := c.Call(b.Context(), ping(names...))
		if err != nil || len(res.Replies) != benchNodes {
			b.Fatalf("%v, %s", err, account(res))
		}
		ours = append(ours, time.Since(began))
		b.StopTimer()
		alone = append(alone, checkSignatures(b, benchNodes))
		b.StartTimer()
	}
	b.ReportMetric(float64(median(ours))/float64(median(alone)), "x-signatures")
	b.ReportMetric(float64(median(ours).Microseconds()), "us-median")
}

// checkSignatures checks n signatures of messages of the size of a reply.
func checkSignatures(b *testing.B, n int) time.Duration {
	b.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 400)
	signature := ed25519.Sign(private, message)
	began := time.Now()
	for range n {
		if !ed25519.Verify(public, message, signature) {
			b.Fatal("a good signature does not match")
		}
	}
	return time.Since(began)
}
