package choria

import (
	"fmt"
	"regexp"
)

var domainName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?)+$`)

// CheckWay returns everything that is wrong with the way to the servers: brokers and federation. The messages
// name the keys of the configuration.
func (o Options) CheckWay() []error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.SRVDomain != "" && len(o.Servers) > 0 {
		refuse("nats.servers and nats.srv_domain both say where the brokers are; leave one of them out")
	}
	if o.SRVDomain != "" && !domainName.MatchString(o.SRVDomain) {
		refuse("nats.srv_domain: %q is no domain; write it as example.net", o.SRVDomain)
	}
	seen := make(map[string]bool, len(o.Federation))
	for _, name := range o.Federation {
		if !validIdentity(name) {
			refuse("nats.federation: %q is no name of a cluster; write it as its Federation Brokers have it in plugin.choria.federation.cluster", name)
		}
		if seen[name] {
			refuse("nats.federation: the cluster %s is there twice; name it once, else its servers act twice", name)
		}
		seen[name] = true
	}
	return problems
}
