/* The least that a command can cost: what the kernel must do, with no runtime around it.
 *
 *   floor podman ROOTFS NAME   `run` of /bin/true with the bundle that Podman writes
 *   floor small ROOTFS NAME    `run` of /bin/true with the smallest bundle
 *   floor nothing              a command that reads nothing and does nothing: to start a static program
 *
 * A run makes what knarr makes of the same config (tests/perf/common.bash): a file of state, a cgroup with a
 * device program, all namespaces with one clone3(2), the keyring, the mounts and nodes, the masks, limits, capabilities
 * and the filter, and removes it again. It parses nothing, resolves no path safely, guards nothing and
 * reports little: it is a measure, not a sandbox. NAME, which must be new, is its directory in the current one, and its
 * cgroup in the cgroup2 on /sys/fs/cgroup. Both stay if it fails. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLAIN (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct mount_row {
	const char *source, *dest, *type;
	unsigned long flags;
	const char *options;
};

/* dest is made before where it is below /dev. */
static const struct mount_row podman_mounts[] = {
	{ "proc", "proc", "proc", PLAIN, NULL },
	{ "tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC | MS_STRICTATIME, "mode=755,size=65536k" },
	{ "sysfs", "sys", "sysfs", MS_RDONLY | PLAIN, NULL },
	{ "devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "mqueue", "dev/mqueue", "mqueue", PLAIN, NULL },
	{ "etc/hostname", "etc/hostname", NULL, MS_BIND, NULL },
	{ "etc/hosts", "etc/hosts", NULL, MS_BIND, NULL },
	{ "tmp", "dev/shm", NULL, MS_BIND, NULL },
	{ NULL, "dev/shm", NULL, MS_REMOUNT | MS_BIND | PLAIN, NULL },
	{ "run/.containerenv", "run/.containerenv", NULL, MS_BIND, NULL },
	{ "cgroup", "sys/fs/cgroup", "cgroup2", MS_RDONLY | PLAIN, NULL },
	{ 0 },
};

static const struct mount_row small_mounts[] = {
	{ "proc", "proc", "proc", 0, NULL },
	{ "tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
	{ "devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "shm", "dev/shm", "tmpfs", PLAIN, "mode=1777,size=65536k" },
	{ "mqueue", "dev/mqueue", "mqueue", PLAIN, NULL },
	{ "sysfs", "sys", "sysfs", MS_RDONLY | PLAIN, NULL },
	{ "cgroup", "sys/fs/cgroup", "cgroup2", MS_RDONLY | PLAIN, NULL },
	{ 0 },
};

/* What differs between the two. Of the paths, those that the kernel does not have are passed over. */
static const struct kind {
	const char *name;
	const struct mount_row *mounts;
	const char *masked_files[8], *masked_directories[6];
	size_t state_size, n_filter;
	bool has_sysctl, readonly_root, no_new_privs;
	unsigned long long capabilities;
} kinds[] = {
	{ "podman",
	  podman_mounts,
	  { "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug" },
	  { "/proc/acpi", "/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block" },
	  20000,
	  244,
	  true,
	  false,
	  false,
	  0x800405fb },
	{ "small",
	  small_mounts,
	  { "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug" },
	  { "/proc/acpi", "/proc/asound", "/sys/firmware", "/proc/scsi" },
	  4000,
	  0,
	  false,
	  true,
	  true,
	  0x20000420 },
};

static const char *const readonly_paths[] = { "/proc/asound", "/proc/bus", "/proc/fs",
					      "/proc/irq",    "/proc/sys", "/proc/sysrq-trigger" };

static const struct {
	const char *path;
	unsigned major, minor;
} nodes[] = {
	{ "dev/null", 1, 3 },	{ "dev/zero", 1, 5 },	 { "dev/full", 1, 7 },
	{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
};

static const char *const links[][2] = {
	{ "/proc/self/fd", "dev/fd" },	     { "/proc/self/fd/0", "dev/stdin" }, { "/proc/self/fd/1", "dev/stdout" },
	{ "/proc/self/fd/2", "dev/stderr" }, { "pts/ptmx", "dev/ptmx" },
};

#define N_OF(table) (sizeof(table) / sizeof((table)[0]))

/* In the child, too, which shares the memory: _exit(), and nothing buffered. */
static void
must(bool worked, const char *what)
{
	if (worked)
		return;
	dprintf(STDERR_FILENO, "floor: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void
load_device_program(int cgroup)
{
	struct bpf_insn code[100];
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
				.insns = (unsigned long)code,
				.insn_cnt = N_OF(code),
				.license = (unsigned long)"GPL" };
	union bpf_attr attach = { .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };
	long fd;

	for (size_t i = 0; i < N_OF(code); i++)
		code[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 };
	code[N_OF(code) - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	must(fd >= 0, "load the device program");
	attach.target_fd = (unsigned)cgroup;
	attach.attach_bpf_fd = (unsigned)fd;
	must(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) == 0, "attach the device program");
	close((int)fd);
}

static void
make_dev(void)
{
	umask(0);
	for (size_t i = 0; i < N_OF(nodes); i++)
		must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) == 0, nodes[i].path);
	umask(022);
	for (size_t i = 0; i < N_OF(links); i++)
		must(symlink(links[i][0], links[i][1]) == 0, links[i][1]);
}

static void
make_root(const struct kind *kind, const char *root)
{
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0, "propagation");
	must(mount(root, root, NULL, MS_BIND | MS_REC, NULL) == 0 && chdir(root) == 0, root);
	for (const struct mount_row *m = kind->mounts; m->dest; m++) {
		if (strncmp(m->dest, "dev/", 4) == 0)
			must(mkdir(m->dest, 0755) == 0 || errno == EEXIST, m->dest);
		must(mount(m->source, m->dest, m->type, m->flags, m->options) == 0, m->dest);
	}
	make_dev();
}

static void
pivot(const struct kind *kind)
{
	int old = open("/", O_DIRECTORY | O_RDONLY | O_CLOEXEC);

	must(old >= 0, "/");
	if (kind->readonly_root)
		must(mount(NULL, ".", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0, "read-only root");
	must(syscall(SYS_pivot_root, ".", ".") == 0, "pivot_root");
	must(fchdir(old) == 0 && umount2(".", MNT_DETACH) == 0 && chdir("/") == 0, "the old root");
	close(old);
}

/* All masked directories show the one empty tmpfs that the first of them gets. */
static void
mask(const struct kind *kind)
{
	const char *empty = NULL;

	for (const char *const *path = kind->masked_files; *path; path++)
		must(mount("/dev/null", *path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT, *path);
	for (const char *const *path = kind->masked_directories; *path; path++) {
		if (mount(empty ? empty : "tmpfs", *path, "tmpfs", empty ? MS_BIND : MS_RDONLY | PLAIN, NULL) == 0)
			empty = empty ? empty : *path;
		else
			must(errno == ENOENT, *path);
	}
	for (size_t i = 0; i < N_OF(readonly_paths); i++) {
		const char *path = readonly_paths[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
			must(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | PLAIN, NULL) == 0, path);
		else
			must(errno == ENOENT, path);
	}
}

static void
raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0, "the loopback device");
	close(fd);
}

static void
set_sysctl(void)
{
	int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);

	must(fd >= 0 && write(fd, "0 0", 3) == 3, "sysctl");
	close(fd);
}

static void
limit(const struct kind *kind)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	unsigned low = (unsigned)kind->capabilities, high = (unsigned)(kind->capabilities >> 32);
	struct __user_cap_data_struct sets[2] = { { low, low, 0 }, { high, high, 0 } };
	struct rlimit files = { 256, 256 };

	must(setrlimit(RLIMIT_NOFILE, &files) == 0, "RLIMIT_NOFILE");
	for (unsigned long i = 0; i <= CAP_LAST_CAP; i++)
		if (!(kind->capabilities >> i & 1))
			must(prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0 || errno == EINVAL, "bounding set");
	if (kind->no_new_privs)
		must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	/* Before capset: without no_new_privs a filter needs CAP_SYS_ADMIN. */
	if (kind->n_filter > 0) {
		struct sock_filter code[256];
		struct sock_fprog program = { (unsigned short)kind->n_filter, code };

		code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
		for (size_t i = 1; i < kind->n_filter - 1; i++)
			code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1000 + (unsigned)i, 0, 0);
		code[kind->n_filter - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0, "seccomp");
	}
	must(syscall(SYS_capset, &header, sets) == 0, "capset");
}

static _Noreturn void __attribute__((noinline)) be_container(const struct kind *kind, const char *root)
{
	char *argv[] = { "/bin/true", NULL }, *env[] = { "PATH=/bin", NULL };

	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.floor", 0, 0, 0) >= 0, "session keyring");
	raise_loopback();
	must(sethostname("floor", 5) == 0, "hostname");
	make_root(kind, root);
	if (kind->has_sysctl)
		set_sysctl();
	pivot(kind);
	mask(kind);
	limit(kind);
	execve(argv[0], argv, env);
	must(false, argv[0]);
	_exit(1);
}

/* As vfork(2): the child has the memory until it executes. It must neither return from the function that made the call
 * nor write to its frame, so on this architecture the call is made here, and nothing is inlined; elsewhere the child
 * gets a copy, which costs more. */
static void __attribute__((noinline)) run(const struct kind *kind, const char *root, int cgroup)
{
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP |
					    CLONE_NEWNET | CLONE_INTO_CGROUP | CLONE_CLEAR_SIGHAND,
				   .exit_signal = SIGCHLD,
				   .cgroup = (unsigned)cgroup };
	int status;
	long pid;

#ifdef __x86_64__
	args.flags |= CLONE_VM | CLONE_VFORK;
	__asm__ volatile("syscall"
			 : "=a"(pid)
			 : "0"((long)SYS_clone3), "D"(&args), "S"(sizeof(args))
			 : "rcx", "r11", "memory");
	errno = pid < 0 ? (int)-pid : 0;
#else
	pid = syscall(SYS_clone3, &args, sizeof(args));
#endif
	must(pid >= 0, "clone3");
	if (pid == 0)
		be_container(kind, root);
	must(waitpid((pid_t)pid, &status, 0) == pid && status == 0, "the program");
}

static void
write_state(const char *path, size_t size)
{
	static char text[20000];
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	memset(text, ' ', sizeof(text));
	must(fd >= 0 && write(fd, text, size) == (ssize_t)size, path);
	close(fd);
}

int
main(int argc, char **argv)
{
	char state[256], cgroup[256];
	const struct kind *kind = NULL;
	int fd;

	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	for (size_t i = 0; argc == 4 && i < N_OF(kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			kind = &kinds[i];
	if (!kind) {
		fprintf(stderr, "usage: floor podman|small ROOTFS NAME, or floor nothing\n");
		return 2;
	}
	snprintf(state, sizeof(state), "%s/state.json", argv[3]);
	snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup/%s", argv[3]);
	must(mkdir(argv[3], 0700) == 0, argv[3]);
	write_state(state, kind->state_size);
	must(mkdir(cgroup, 0755) == 0, cgroup);
	fd = open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0, cgroup);
	load_device_program(fd);
	run(kind, argv[2], fd);
	close(fd);
	must(rmdir(cgroup) == 0 && unlink(state) == 0 && rmdir(argv[3]) == 0, cgroup);
	return 0;
}
