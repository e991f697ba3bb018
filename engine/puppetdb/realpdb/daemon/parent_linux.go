package daemon

import "syscall"

// endWithUs has the system kill a daemon whose parent was killed. PostgreSQL and Java survive that: what
// they were asked to keep, nobody wants any more.
func endWithUs(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
