package realpdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/playbot/playbot/engine/puppetdb"
	"github.com/playbot/playbot/engine/puppetdb/realpdb/daemon"
)

const (
	puppetdbUser = "puppetdb"
	jar          = "/usr/share/puppetdb/puppetdb.jar"
	bootstrap    = "/etc/puppetdb/bootstrap.cfg"
	// connectionTimeout is how long PuppetDB waits for PostgreSQL when it starts. Its default of 3 s ends
	// it on a busy machine.
	connectionTimeout = time.Minute
)

// startPuppetDB returns when PuppetDB answers.
func (s *Server) startPuppetDB(ctx context.Context, postgres int) error {
	home, err := s.folder("puppetdb", puppetdbUser)
	if err != nil {
		return err
	}
	if err := s.configure(home, postgres); err != nil {
		return err
	}
	listening := make(chan string, 1)
	// Jetty takes the port that the system gives it, and says which: nobody can take it before.
	started := regexp.MustCompile(`Started ServerConnector@.*\{(127\.0\.0\.1:\d+)\}`)
	s.puppetdb, err = daemon.Start(ctx, daemon.Command{
		Name: "PuppetDB", User: puppetdbUser, Dir: home,
		Argv: []string{
			"/usr/bin/java", "-Djava.io.tmpdir=" + filepath.Join(home, "var"), "-XX:-UsePerfData", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", jar,
			"clojure.main", "-m", "puppetlabs.puppetdb.core", "services",
			"--config", filepath.Join(home, "conf.d"), "--bootstrap-config", bootstrap, "--restart-file", filepath.Join(home, "restart"),
		},
		Line: func(line string) {
			if m := started.FindStringSubmatch(line); m != nil {
				select {
				case listening <- m[1]:
				default:
				}
			}
		},
	})
	if err != nil {
		return err
	}
	select {
	case address := <-listening:
		s.URL = "http://" + address
	case <-s.puppetdb.Done():
		return s.puppetdb.Err()
	case <-ctx.Done():
		return fmt.Errorf("PuppetDB does not listen: %w; it said last:\n%s", context.Cause(ctx), s.puppetdb.Said())
	}
	client, err := puppetdb.New(puppetdb.Options{URL: s.URL})
	if err != nil {
		return err
	}
	defer client.Close()
	return s.puppetdb.Poll(ctx, client.Ping)
}

// configure writes what PuppetDB reads: nothing of the machine's own PuppetDB is used.
func (s *Server) configure(home string, postgres int) error {
	for name, text := range map[string]string{
		"restart": "0",
		"logback.xml": `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%-5p %m%n</pattern></encoder></appender>
  <logger name="org.eclipse.jetty.server.AbstractConnector" level="info"/>
  <root level="warn"><appender-ref ref="OUT"/></root>
</configuration>
`,
		"conf.d/config.ini": fmt.Sprintf(`[global]
vardir=%[1]s/var
logging-config=%[1]s/logback.xml
[database]
subname=//127.0.0.1:%[2]d/puppetdb
username=puppetdb
password=%[3]s
gc-interval=0
connection-timeout=%[4]d
[puppetdb]
disable-update-checking=true
[jetty]
host=127.0.0.1
port=0
`, home, postgres, s.password, connectionTimeout.Milliseconds()),
		"conf.d/auth.conf": `authorization: {
  version: 1
  rules: [
    {match-request: {path: "/status/v1", type: path, method: get}, allow-unauthenticated: true, sort-order: 500, name: "status"},
    {match-request: {path: "/", type: path}, deny: "*", sort-order: 999, name: "nothing else"}
  ]
}
`,
	} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(home, "var"), 0o700); err != nil {
		return err
	}
	return daemon.Give(home, puppetdbUser)
}
