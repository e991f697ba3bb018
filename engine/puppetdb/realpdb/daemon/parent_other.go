//go:build !linux

package daemon

import "syscall"

// endWithUs is for Linux; elsewhere a daemon whose parent was killed stays.
func endWithUs(*syscall.SysProcAttr) {}
