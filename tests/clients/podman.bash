# Shared by podman.sh and podman-user.sh: programs that are podman with the directories of
# this test and the runtime that is tried, and their images.
# shellcheck shell=bash disable=SC2034

# Below what the machine may not raise.
LIMITS=(--ulimit nproc=1000:1000 --ulimit nofile=1024:2048)

# $T/p and, for the unprivileged user, $T/user-p. default_ulimits also for the infra
# containers of pods; Podman 4.3.1 swaps the soft and the hard one there.
make_programs()
{
	local own="--cgroup-manager cgroupfs --storage-driver vfs --events-backend file --runtime $NAME" u=$T/user
	install -m 0755 "$RUNTIME" "$T/runtime-$NAME"
	cat >"$T/containers.conf" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
		[engine]
		runtime_supports_json = ["knarr", "runc"]
		runtime_supports_nocgroup = ["knarr"]
		infra_image = "localhost/infra:latest"
		[engine.runtimes]
		$NAME = ["$T/runtime-$NAME"]
	END
	cat >"$T/p" <<-END
		#!/bin/sh
		export CONTAINERS_CONF=$T/containers.conf
		exec podman --root $T/store --runroot $T/runroot --tmpdir $T/tmp $own "\$@"
	END
	cat >"$T/user-p" <<-END
		#!/bin/sh
		exec setpriv --reuid $(id -u "$CLIENTS_USER") --regid $(id -g "$CLIENTS_USER") --init-groups --inh-caps=-all \\
			env -C $u HOME=$u USER=$CLIENTS_USER LOGNAME=$CLIENTS_USER XDG_RUNTIME_DIR=$u/run CONTAINERS_CONF=$T/containers.conf \\
			podman --root $u/store --runroot $u/runroot --tmpdir $u/tmp $own "\$@"
	END
	chmod 0755 "$T/p" "$T/user-p"
}

# make_images PROGRAM: into its store. Each runtime has one of its own: what one left
# cannot disturb the other.
make_images()
{
	"$1" import -q "$T/root.tar" bb >/dev/null || exit 1
	"$1" import -q --change 'ENTRYPOINT ["/bin/sleep", "1000"]' "$T/root.tar" infra >/dev/null || exit 1
}
