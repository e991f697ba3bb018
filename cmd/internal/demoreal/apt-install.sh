#!/bin/sh
# Installs packages of Debian, and starts none of the services in them: apt starts them at once, on all addresses,
# and the demonstration and the tests start their own on loopback. Debian asks policy-rc.d before it starts one
# (/usr/share/doc/sysvinit/README.policy-rc.d.gz); 101 is no. Whatever said so before is back in the end, also when
# a run before this one was killed.
#
# usage: apt-install.sh PACKAGE...
set -eu
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d} # another one in tests
saved=$policy.before-playbot
ours='playbot installs packages'

there() { [ -e "$1" ] || [ -L "$1" ]; }

restore() {
	if grep -q "$ours" "$policy" 2>/dev/null; then rm -f "$policy"; fi
	if there "$saved"; then mv -f "$saved" "$policy"; fi
}

restore
trap restore EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if there "$policy"; then mv "$policy" "$saved"; fi
printf '#!/bin/sh\n# %s, and starts no service; see apt-install.sh\nexit 101\n' "$ours" >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -qy --no-install-recommends "$@"
