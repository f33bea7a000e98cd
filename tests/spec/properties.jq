# The properties of a config.json that hold something, in the notation of
# properties.txt, one per line; enumerations with their value as well.

def maps: ["annotations", "linux.sysctl", "linux.netDevices", "linux.resources.unified", "linux.resources.rdma"];

def name: reduce .[] as $key ("";
	if ($key | type) == "number" then . + "[]"
	elif IN(maps[]) then . + ".*"
	elif . == "" then $key
	else . + "." + $key end);

def enumerations: ["process.ioPriority.class", "process.scheduler.policy", "process.scheduler.flags[]",
	"linux.namespaces[].type", "linux.rootfsPropagation", "linux.seccomp.defaultAction", "linux.seccomp.flags[]",
	"linux.seccomp.syscalls[].action", "linux.seccomp.syscalls[].args[].op", "linux.memoryPolicy.mode",
	"linux.memoryPolicy.flags[]", "linux.personality.domain"];

def properties:
	[paths as $p | getpath($p) as $value | select(IN($value; "", null, [], {}) | not) | ($p | name) as $name
		| $name, if ($name | IN(enumerations[])) then "\($name)=\($value)" else empty end] | unique[];
