package choria

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Resolver looks up SRV records, in the order in which they are to be used: by priority, and among
// equals at random by weight. *net.Resolver is one.
type Resolver interface {
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
}

// Brokers lists the brokers that a client would try first, in that order: those that are named, or those of the SRV
// records, which it looks up.
func (o Options) Brokers(ctx context.Context) ([]string, error) {
	if o = o.withDefaults(); o.SRVDomain != "" {
		return o.lookup(ctx)
	}
	return o.Servers, nil
}

// brokerRecords are the names under which Choria's own programs look for brokers, in their order
// (go-choria 0.30, choria/framework.go: MiddlewareServers and FederationMiddlewareServers).
func (o Options) brokerRecords() []string {
	if len(o.Federation) > 0 {
		return []string{"_mcollective-federation_server._tcp", "_x-puppet-mcollective_federation._tcp"}
	}
	return []string{"_mcollective-server._tcp", "_x-puppet-mcollective._tcp"}
}

// lookup finds the addresses of the brokers of the domain, in the order in which they are to be tried.
// The first name that has records counts. A name server that does not say whether there are some is an
// error at once: the next name may stand for other brokers.
func (o Options) lookup(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	domain := strings.Trim(o.SRVDomain, ".")
	names := o.brokerRecords()
	for i, name := range names {
		names[i] = name + "." + domain
		_, records, err := o.Resolver.LookupSRV(ctx, "", "", names[i]+".") // the dot: no search domains
		if found := o.addresses(records); len(found) > 0 {
			return found, nil
		}
		if dns, ok := errors.AsType[*net.DNSError](err); err != nil && (!ok || !dns.IsNotFound) {
			return nil, fmt.Errorf("look up the SRV records %s: %w; does the name server answer?", names[i], err)
		}
	}
	return nil, fmt.Errorf("there is no SRV record %s; is the domain %s right? Without such records, name the brokers themselves",
		strings.Join(names, " and no "), domain)
}

// addresses leaves out what says that there is no such service (RFC 2782: the target is the root).
func (o Options) addresses(records []*net.SRV) []string {
	scheme := "tls"
	if o.Insecure {
		scheme = "nats"
	}
	var out []string
	for _, r := range records {
		if host := strings.TrimSuffix(r.Target, "."); host != "" && r.Port != 0 {
			out = append(out, scheme+"://"+net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
		}
	}
	return out
}
