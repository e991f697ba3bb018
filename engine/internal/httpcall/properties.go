package httpcall

import (
	"net/url"
	"strings"

	"github.com/playbot/playbot/playbooks"
)

// Address reads a web address that must be there; nil when there is none to use.
func Address(p *playbooks.Properties, key string) *url.URL {
	raw := p.RequireText(key)
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		p.Remedy(key, "write http://… or https://…", "%q is not a web address", raw)
		return nil
	}
	return u
}

// Headers reads the property `headers` and refuses what would end the header, or the request; a
// value may be a secret and is not shown.
func Headers(p *playbooks.Properties) map[string]string {
	headers := p.StringMap("headers")
	for k, v := range headers {
		if k == "" || strings.ContainsAny(k, " \t\r\n:") {
			p.Problem("headers", "%q cannot be the name of a header", k)
		}
		if strings.ContainsAny(v, "\r\n\x00") {
			p.Problem("headers", "the value of %s must be one line", k)
		}
	}
	return headers
}

// HeadersKey describes the property `headers`.
func HeadersKey() playbooks.Key {
	return playbooks.Key{
		Name: "headers", Kind: playbooks.KindTextMap,
		Doc: "Headers of the request. They take the place of the defaults of the same name: `User-Agent`, `X-Choria-Request-ID`, `Idempotency-Key` and, with a body, `Content-Type`.",
	}
}
