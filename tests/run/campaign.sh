#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Isolated starts of which one process each is killed at a random moment, each role many times; the mounts,
# descriptors, cgroups, /tmp and processes of the host are the same before and after.
#
#	sh tests/run/campaign.sh	a few of each
#	sh tests/run/campaign.sh all	1000 starts for root and for an ordinary user, each role 60 times at least
#
# CAMPAIGN_SEED repeats one.
. "$(dirname "$0")/../lib.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
starts=60 each=5
[ "${1-}" != all ] || starts=1000 each=60
if ! unshare -m -p -f --mount-proc true 2>/dev/null; then
	skip 'killed at random' 'no namespaces here, or not root'
	finish
fi
own_cgroup
script=$here/tools/campaign.py
# What lies in /tmp would be hidden by the empty one.
case $here:$CARREL in
*/tmp/*)
	place=$(mktemp -d /var/tmp/carrel-campaign.XXXXXX)
	# shellcheck disable=SC2064 # now
	trap "rm -rf '$tmp' '$place'" EXIT
	chmod 755 "$place"
	cp -r "$script" "$CARREL" "$CARREL_CONTROL" "$TOOLS" "$place"
	script=$place/campaign.py CARREL=$place/carrel CARREL_CONTROL=$place/carrel-control TOOLS=$place/tools
	export TOOLS
	;;
esac

# campaign ARG...: process 1 of a world whose /tmp is empty and whose mounts are shared: what a task mounts
# could come out, and would be seen
campaign() {
	# shellcheck disable=SC2154,SC2086 # cgroup is own_cgroup's; words
	unshare -m -p -f --mount-proc --kill-child sh -c 'mount -t tmpfs tmp /tmp && chmod 1777 /tmp && mount --make-rshared / &&
		cd / && exec "$@"' sh "$script" ${CAMPAIGN_SEED:+--seed "$CAMPAIGN_SEED"} \
		--starts "$starts" --each "$each" --cgroup "$cgroup" "$@" </dev/null 2>&1
}

judge() {
	what=$1
	shift
	if out=$(campaign "$@"); then pass "$what: $out"; else fail "$what" "$out"; fi
}

judge 'root' rootless container
if as_user unshare -U true 2>/dev/null; then
	[ -z "$cgroup" ] || chmod 777 "$cgroup"
	judge 'an ordinary user' --user "$user" rootless
else
	skip 'an ordinary user' 'user namespaces are forbidden here'
fi
finish
