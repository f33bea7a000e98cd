#!/usr/bin/env bats
# process.apparmorProfile, process.selinuxLabel and linux.mountLabel on kernels that have
# these modules. tests/vm/run.sh runs them in a machine that does; elsewhere each says
# what is missing.
load helpers

# mount_module TYPE DIRECTORY: for this test, before it looks for mounts that are left.
mount_module() {
	[ "$(id -u)" = 0 ] && [ -d "$2" ] && grep -qw "$1" /proc/filesystems && ! mountpoint -q "$2" || return 0
	mount -t "$1" "$1" "$2" 2>/dev/null && MOUNTED+=("$2")
	return 0
}

setup() {
	MOUNTED=()
	if [ -e /sys/module/apparmor ] || [ -d /sys/fs/selinux ]; then
		mount_module securityfs /sys/kernel/security
		mount_module selinuxfs /sys/fs/selinux
	fi
	container_setup
	requires_root
	make_bundle '.linux.namespaces |= map(select(.type != "network"))'
}

teardown() {
	local status=0 dir
	container_teardown || status=$?
	for dir in "${MOUNTED[@]}"; do umount "$dir"; done
	return $status
}

# ---- AppArmor -----------------------------------------------------------------------

requires_apparmor() {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip 'AppArmor is not active'
	requires_command apparmor_parser
	[ -d /sys/kernel/security/apparmor ] || skip 'there is no securityfs'
}

profile() { # profile NAME RULE...: loaded until the end of the test
	local name=$1
	shift
	{
		echo "profile $name flags=(attach_disconnected,mediate_deleted) {"
		printf '%s\n' 'file, capability, network, mount, signal, ptrace, umount, pivot_root,' "$@" '}'
	} | apparmor_parser --replace --skip-cache
}

@test "apparmorProfile: the program runs under it, exec too" {
	requires_apparmor
	profile "knarr-test-$$" 'deny /etc/passwd r,'
	edit_bundle '.process.apparmorProfile = $p' --arg p "knarr-test-$$"
	for nnp in true false; do
		edit_bundle_to_run ".process.noNewPrivileges = $nnp" \
			sh -c 'cat /proc/self/attr/apparmor/current; cat /etc/passwd 2>&1; cat /etc/group'
		run -0 knarr run -b "$BUNDLE" "$ID"
		echo "$output"
		[ "${lines[0]}" = "knarr-test-$$ (enforce)" ]
		[[ "${lines[1]}" == *'Permission denied' ]]
		[[ "$output" == *root:x:0:* ]]
	done
	bundle_runs sleep 1000
	knarr run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(cat "/proc/$(knarr state "$ID" | jq .pid)/attr/apparmor/current")" = "knarr-test-$$ (enforce)" ]
	run -0 knarr exec "$ID" cat /proc/self/attr/apparmor/current
	[ "$output" = "knarr-test-$$ (enforce)" ]
	run -0 knarr exec --apparmor unconfined "$ID" cat /proc/self/attr/apparmor/current
	[ "$output" = unconfined ]
	knarr delete -f "$ID"
	echo "profile knarr-test-$$ {}" | apparmor_parser --remove
}

@test "apparmorProfile: one that is not loaded is an error" {
	requires_apparmor
	edit_bundle_to_run '.process.apparmorProfile = "knarr-no-such-profile"' true
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ "$output" == *process.apparmorProfile*knarr-no-such-profile* ]]
}

@test "labels of a module that the kernel does not have are errors" {
	bundle_runs true
	if ! [ -e /sys/fs/selinux/enforce ]; then
		edit_bundle '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *process.selinuxLabel*container_t*'SELinux is not active'* ]]
		edit_bundle 'del(.process.selinuxLabel)'
	fi
	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; then
		edit_bundle '.process.apparmorProfile = "any"'
		run -1 knarr run -b "$BUNDLE" "$ID"
		[[ "$output" == *process.apparmorProfile*any*'AppArmor is not active'* ]]
	fi
}

# ---- SELinux ------------------------------------------------------------------------

# A policy that allows all, with two types.
requires_selinux() {
	[ -e /sys/fs/selinux/enforce ] || skip 'SELinux is not active'
	[ "$(cat /sys/fs/selinux/policyvers)" -ge 30 ] || skip 'the kernel takes older policies only'
	requires_command secilc
	[ -e /sys/fs/selinux/initial_contexts/kernel ] || skip 'no initial contexts'
	grep -q knarr_t "/sys/fs/selinux/initial_contexts/kernel" 2>/dev/null && return
	cat >"$T/policy.cil" <<-'END'
		(handleunknown allow)
		(mls true)
		(policycap open_perms)
		(class process (transition dyntransition setexec))
		(classorder (process))
		(sid kernel)
		(sid security)
		(sid unlabeled)
		(sidorder (kernel security unlabeled))
		(sensitivity s0)
		(sensitivityorder (s0))
		(category c0) (category c1) (category c2)
		(categoryorder (c0 c1 c2))
		(sensitivitycategory s0 (range c0 c2))
		(level low (s0))
		(level high (s0 (range c0 c2)))
		(levelrange all (low high))
		(user u)
		(role r)
		(role object_r)
		(type knarr_t)
		(type container_t)
		(type container_file_t)
		(roletype r knarr_t) (roletype r container_t)
		(roletype object_r container_file_t) (roletype object_r knarr_t)
		(userrole u r) (userrole u object_r)
		(userlevel u low)
		(userrange u all)
		(sidcontext kernel (u r knarr_t all))
		(sidcontext security (u object_r knarr_t all))
		(sidcontext unlabeled (u object_r knarr_t all))
		(fsuse trans tmpfs (u object_r knarr_t all))
		(fsuse xattr ext4 (u object_r knarr_t all))
		(allow knarr_t self (process (transition dyntransition setexec)))
		(allow knarr_t container_t (process (transition dyntransition)))
		(typepermissive knarr_t)
		(typepermissive container_t)
	END
	secilc -c 30 -o "$T/policy" -f "$T/contexts" "$T/policy.cil"
	cat "$T/policy" >/sys/fs/selinux/load
	# The mounts of the machine show labels from now on.
	leaks_before
}

@test "selinuxLabel and mountLabel: the program and what is mounted for it have them" {
	requires_selinux
	# This policy says nothing of domains that change under no_new_privs.
	edit_bundle '.process.noNewPrivileges = false | .process.selinuxLabel = "u:r:container_t:s0:c1,c2" | .linux.mountLabel = "u:object_r:container_file_t:s0:c1"
		| .mounts += [{destination: "/labelled", type: "tmpfs", source: "tmpfs"}]'
	bundle_runs_sh 'tr -d "\\0" </proc/self/attr/current; echo; grep " /labelled " /proc/mounts'
	run knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" = 0 ]
	[ "${lines[0]}" = u:r:container_t:s0:c1,c2 ]
	[[ "${lines[1]}" == *context=*u:object_r:container_file_t:s0:c1* ]]
	edit_bundle '.process.selinuxLabel = "u:r:no_such_t:s0"'
	run -1 knarr run -b "$BUNDLE" "$ID"
	echo "$output"
	# The keyring, which has the label too, is the first to meet the policy.
	[[ "$output" == *'label the session keyring'*'invalid argument'* ]]
}
